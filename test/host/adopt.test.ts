import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { load } from "js-yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { revertScript } from "../../adopt/revert.ts";
import { disableLines, keepFormerScript } from "../../components/host/render/former.ts";
import { nodeBinary, projectRoot } from "../../lab/machine/paths.ts";
import { formerCrontab } from "../support/former-vm/files.ts";
import { formerStateCommand, layOutFormerVm } from "../support/former-vm/lay-out.ts";
import { type TestHost, testHost } from "../support/lab/test-host.ts";
import { SETTINGS } from "../support/program-stack/settings.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../support/program-stack/tls.ts";

let host: TestHost;
const directory = mkdtempSync(join(tmpdir(), "regwarden-adopt-"));
const password = "former password 7421";
const crontab = "/var/spool/cron/crontabs/root";
const jobs = formerCrontab
  .split("\n")
  .filter((line) => /^\d/.test(line))
  .map((line) => ({ file: crontab, line }));
const timed = "/etc/systemd/system/former-gc";
const timedJob = {
  file: `${timed}.service`,
  line: "ExecStart=/usr/bin/docker exec registry-private registry garbage-collect -m /etc/docker/registry/config.yml",
};
/** What the former deployment laid out, and a timer of the administrator's. */
const former = () =>
  host.sh(`${formerStateCommand}
cat ${timed}.service
systemctl is-enabled former-gc.timer
systemctl is-active former-gc.timer`);

/** `npm run adopt -- --host ... ARGS` */
async function adopt(...args: string[]) {
  return await adoptFrom({}, ...args);
}

/** The same with another port or key. */
async function adoptFrom(other: { port?: number; identity?: string }, ...args: string[]) {
  const { connection } = host;
  const { host: address, port, hostKey } = connection();
  const own = [
    "--host",
    `root@${address}:${other.port ?? port}`,
    "--identity",
    other.identity ?? host.lab.privateKeyFile,
    "--host-key",
    hostKey,
  ];
  const options = { cwd: projectRoot, reject: false, all: true } as const;
  const { exitCode, all } = await execa(nodeBinary, ["adopt/main.ts", ...own, ...args], options);
  return { exitCode, output: all };
}

beforeAll(async () => {
  host = await testHost({ images: true });
  await clear();
  const sh = async (command: string, input = "") => {
    const { exitCode, stdout, stderr } = await host.lab.exec(command, { input });
    if (exitCode !== 0) throw new Error(`${command}: exit ${exitCode}: ${stderr}`);
    return stdout;
  };
  await layOutFormerVm(sh, {
    hostname: "registry.example.com",
    // Any registry will do as the remote of a cache: it must answer when the cache starts.
    remoteUrl: "http://registry-private:5000",
    account: { username: "mirror", password },
    user: "builder",
    userPassword: password,
    certificate: CERTIFICATE,
    privateKey: PRIVATE_KEY,
  });
  await host.sh(`printf '[Service]\\nType=oneshot\\n%s\\n' '${timedJob.line}' >${timed}.service
printf '[Timer]\\nOnCalendar=monthly\\n[Install]\\nWantedBy=timers.target\\n' >${timed}.timer
systemctl daemon-reload
systemctl enable --now --quiet former-gc.timer`);
});
afterAll(async () => clear());

async function clear(): Promise<void> {
  await host.sh(`systemctl disable --now docker-compose-registry.service former-gc.timer 2>/dev/null || true
docker ps -aq --filter label=com.docker.compose.project=registry | xargs -r docker rm -f >/dev/null
docker ps -aq --filter name=registry- | xargs -r docker rm -f >/dev/null
docker network rm registry_registry 2>/dev/null || true
rm -rf /opt/registry /var/backups/regwarden ${crontab} /etc/systemd/system/docker-compose-registry.service /etc/systemd/system/regwarden-adopt-test.timer ${timed}.service ${timed}.timer
systemctl daemon-reload`);
}

describe("a VM that the former deployment laid out", () => {
  test("is read into a configuration and a report, and nothing on it is changed or written", async () => {
    // Of the host itself: systemd's directories for services that start meanwhile, runc's file for each health check.
    const mark = `find /opt/registry /etc /var/spool/cron /tmp /var/tmp /root -xdev -mindepth 1 -newer /run/adopt-mark ! -name 'systemd-private-*' ! -name 'runc-process*' 2>/dev/null | sort; docker ps -aq | sort | sha256sum`;
    await host.sh("touch /run/adopt-mark");
    const before = await host.sh(mark);
    const out = join(directory, "Pulumi.home.yaml");
    const { exitCode, output } = await adopt("--no-preview", "--out", out);
    expect(exitCode, output).toBe(0);
    expect(await host.sh(mark)).toBe(before);
    const { config } = load(readFileSync(out, "utf8")) as { config: Record<string, unknown> };
    expect(config).toMatchObject({
      "regwarden:registry": { hostname: "registry.example.com" },
      "regwarden:ui": { title: "example.com" },
      "regwarden:adopt": { jobs: [...jobs, timedJob] },
    });
    expect((config["regwarden:caches"] as { port: number }[]).map(({ port }) => port)).toEqual([
      5000, 5010, 5020, 5030, 5040,
    ]);
    expect(output).toMatch(/^ {2}recreate: .*registry-private$/m);
    expect(output).toContain("/var/spool/cron/crontabs/root:7  25 3 * * 0");
    for (const text of [output, readFileSync(out, "utf8")]) {
      expect(text).not.toContain(password);
      expect(text).not.toMatch(/\$2[aby]\$|PRIVATE KEY/);
    }
  });

  test("is read again only into another file", async () => {
    const { exitCode, output } = await adopt("--out", join(directory, "Pulumi.home.yaml"));
    expect(exitCode).toBe(2);
    expect(output).toContain("is there already");
  });

  test("is not read with another host key, and by hand only after its fingerprint was confirmed", async () => {
    const out = join(directory, "Pulumi.other.yaml");
    const other = await adopt("--host-key", `SHA256:${"A".repeat(43)}`, "--out", out);
    expect(other.exitCode).toBe(3);
    expect(other.output).toContain("the host key does not match");
  });

  test("is not read with a key that it does not take, nor where nothing answers: the reason is named", async () => {
    const identity = join(directory, "other-key");
    const { privateKey } = generateKeyPairSync("ec", {
      namedCurve: "P-256",
      privateKeyEncoding: { type: "sec1", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
    writeFileSync(identity, privateKey);
    const out = join(directory, "Pulumi.never.yaml");
    const refused = await adoptFrom({ identity }, "--out", out);
    expect(refused.exitCode).toBe(3);
    expect(refused.output).toMatch(/root@.*refuses|authenti|log in/i);
    const silent = await adoptFrom({ port: 1 }, "--out", out);
    expect(silent.exitCode).toBe(3);
    expect(silent.output).toMatch(/ECONNREFUSED|refused/);
    expect(existsSync(out)).toBe(false);
  });

  test("without Docker, or without the directory that is named, is not read: what is missing is named", async () => {
    const out = join(directory, "Pulumi.never.yaml");
    const elsewhere = await adopt("--directory", "/srv/images", "--out", out);
    expect(elsewhere.exitCode).toBe(3);
    expect(elsewhere.output).toContain("there is no directory /srv/images on the host");
    expect(elsewhere.output).toContain("registry-private (registry:2.8.3) with /opt/registry");
    await host.sh(
      "printf '#!/bin/sh\\nexit 127\\n' >/usr/local/bin/docker && chmod +x /usr/local/bin/docker",
    );
    const bare = await adopt("--out", out).finally(() => host.sh("rm /usr/local/bin/docker"));
    expect(bare.exitCode).toBe(3);
    expect(bare.output).toMatch(
      /lacks what the stack needs; nothing was changed:\n {2}- Docker Engine does not answer/,
    );
    expect(existsSync(out)).toBe(false);
  });

  test("with a registry beside it that was started by hand is not ready, and that one is named", async () => {
    await host.sh("docker run -d --name by-hand -v by-hand:/var/lib/registry registry:2.8.3 >/dev/null");
    const { exitCode, output } = await adopt("--out", join(directory, "Pulumi.two.yaml")).finally(() =>
      host.sh("docker rm -f by-hand >/dev/null; docker volume rm by-hand >/dev/null"),
    );
    expect(exitCode, output).toBe(1);
    expect(output).toMatch(
      /^Must be settled by hand before the first update:\n {2}.* is another private registry/,
    );
    expect(output).toContain("No preview of the first update: first settle what stands at the top.");
  });

  test("has no way back before the first update", async () => {
    const { exitCode, output } = await adopt("--revert");
    expect(exitCode).toBe(3);
    expect(output).toContain("/var/backups/regwarden/adopted is not there");
  });

  test("comes back by one command, byte for byte, also when that is killed on its way", async () => {
    const before = await former();
    await host.sh(keepFormerScript(SETTINGS, [...jobs, timedJob]));
    // Once and never again, whatever has become of the host since.
    await changeEverything();
    await host.sh(keepFormerScript(SETTINGS, [...jobs, timedJob]));
    expect(await former().catch(String)).not.toBe(before);
    const off =
      "grep -c '^#regwarden-disabled: ExecStart' /etc/systemd/system/former-gc.service; systemctl is-active former-gc.timer || true; systemctl is-enabled former-gc.timer || true";
    expect(await host.sh(off)).toBe("1\ninactive\ndisabled");

    const plan = await adopt("--revert");
    expect(plan.exitCode, plan.output).toBe(1);
    expect(plan.output).toContain("stop and put aside regwarden-adopt-test.timer");
    expect(plan.output).toContain("restore /opt/registry/docker-compose.yml");
    expect(plan.output).toContain("Nothing was changed");

    for (const milliseconds of [300, 900, 2000]) {
      await changeEverything();
      await killedRevert(milliseconds);
    }
    const { exitCode, output } = await adopt("--revert", "--apply");
    expect(exitCode, output).toBe(0);
    expect(await former()).toBe(before);
    const left =
      "ls -d /opt/registry/programs /etc/systemd/system/regwarden-adopt-test.timer 2>/dev/null || true";
    expect(await host.sh(left)).toBe("");
  });
});

/** The changes of a first update, as far as they are others for the way back. */
async function changeEverything(): Promise<void> {
  await host.sh(`mkdir -p /opt/registry/programs /opt/registry/nginx /opt/registry/auth
chmod 0700 /opt/registry/tls
sed -i 's/^/# changed: /' /opt/registry/config-ghcr.yml
printf 'services: {}\\n' >/opt/registry/docker-compose.yml
printf '[Timer]\\nOnCalendar=daily\\n' >/etc/systemd/system/regwarden-adopt-test.timer
systemctl daemon-reload
sed -i '/^ExecStop/d' /etc/systemd/system/docker-compose-registry.service
docker rm -f registry-quay >/dev/null 2>&1 || true
if ! docker ps -a --format '{{.Names}}' | grep -q 'registry-ui[.]displaced-'; then
  docker update --restart=no registry-ui >/dev/null
  docker stop -t 1 registry-ui >/dev/null
  docker rename registry-ui registry-ui.displaced-20261122T000000Z
fi
docker rm -f registry-ui >/dev/null 2>&1 || true
docker run -d --pull never --name registry-ui --entrypoint sleep nginx:1.28.0-alpine 10000 >/dev/null
${disableLines([...jobs, timedJob])}`);
}

/** Goes the way back on the host itself, and kills it after so long. */
async function killedRevert(milliseconds: number): Promise<void> {
  const script = "/run/regwarden-adopt-test.sh";
  await host.lab.exec(`cat >${script}`, { input: revertScript });
  await host.lab.exec(
    `timeout --signal=KILL ${milliseconds / 1000} sh ${script} /opt/registry apply; rm ${script}`,
  );
}
