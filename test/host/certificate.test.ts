import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  certificatePath,
  certificateUnit,
  takeCertificateScript,
} from "../../components/host/render/certificate-units.ts";
import { units } from "../../contract/host-names.ts";
import { hostPaths } from "../../contract/host-paths.ts";
import { waitUntil } from "../../lab/machine/wait.ts";
import { type TestHost, testHost } from "../support/lab/test-host.ts";
import { SETTINGS } from "../support/program-stack/settings.ts";
import { selfSigned } from "../support/server/self-signed.ts";

const settings = { ...SETTINGS, directory: "/srv/certificate-test" };
const source = {
  certificate: "/etc/renewed/live/fullchain.pem",
  privateKey: "/etc/renewed/live/privkey.pem",
};
const paths = hostPaths(settings.directory);

let host: TestHost;
let scratch: string;

const write = (path: string, text: string) =>
  host.sh(`mkdir -p $(dirname ${path}) && cat >${path} <<'END'\n${text.trimEnd()}\nEND\n`);
const served = () => host.sh(`cat ${paths.certificate} 2>/dev/null || true`);
const take = () => host.sh(`systemctl start ${units.certificate} && echo taken`);

/** Renews as certbot does: new files, then links that are replaced one after the other. */
async function renew(version: number): Promise<string> {
  const { certificate, privateKey } = await selfSigned(scratch);
  await write(`/etc/renewed/archive/fullchain${version}.pem`, certificate);
  await write(`/etc/renewed/archive/privkey${version}.pem`, privateKey);
  await link(version, "fullchain");
  await link(version, "privkey");
  return certificate.trim();
}

const link = (version: number, name: string) =>
  host.sh(
    `mkdir -p /etc/renewed/live && ln -s ../archive/${name}${version}.pem /etc/renewed/live/.new && mv -T /etc/renewed/live/.new /etc/renewed/live/${name}.pem`,
  );

beforeAll(async () => {
  host = await testHost({ images: true });
  scratch = await mkdtemp(join(tmpdir(), "regwarden-certificate-"));
  await host.sh(`mkdir -p ${paths.tls} ${paths.programs} && chmod 0700 ${paths.tls}`);
  await write(paths.takeCertificate, takeCertificateScript(settings, source));
  await write(`/etc/systemd/system/${units.certificate}`, certificateUnit(settings));
  await write(`/etc/systemd/system/${units.certificatePath}`, certificatePath(source));
  await host.sh(`chmod 0755 ${paths.takeCertificate} && systemctl daemon-reload`);
});
afterAll(async () => {
  await host.sh(
    `systemctl stop ${units.certificatePath} ${units.certificate}; rm -rf ${settings.directory} /etc/renewed /etc/systemd/system/regwarden-certificate.*; systemctl daemon-reload`,
  );
  await rm(scratch, { recursive: true });
});

test("a certificate of the host is taken with its key, readable for root alone", async () => {
  const first = await renew(1);
  expect(await take()).toBe("taken");
  expect(await served()).toBe(first);
  expect(await host.sh(`stat -c '%a %U' ${paths.certificate} ${paths.privateKey}`)).toBe(
    "644 root\n600 root",
  );
  expect(await host.sh(`ls -A ${paths.tls}`)).toBe("fullchain.pem\nprivkey.pem");
});

test("a renewal is taken by itself, though its files come one after the other", async () => {
  await host.sh(`systemctl start ${units.certificatePath}`);
  const second = await renew(2);
  await waitUntil("the renewed certificate", 60, async () => (await served()) === second);
  await host.sh(`systemctl stop ${units.certificatePath}`);
});

test("a key of another certificate is refused by name, and the old pair stays", async () => {
  const before = await served();
  const { certificate } = await selfSigned(scratch);
  await write("/etc/renewed/archive/fullchain3.pem", certificate);
  await link(3, "fullchain");
  await expect(take()).rejects.toThrow();
  expect(await host.sh(`journalctl --unit ${units.certificate} --lines 20 --no-pager --output cat`)).toMatch(
    /key values mismatch[\s\S]*fullchain\.pem and \S+privkey\.pem were not taken/,
  );
  expect(await served()).toBe(before);
});
