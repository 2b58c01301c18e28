import { chmod, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import {
  certificatesScript,
  entriesOf,
  entriesScript,
  textsScript,
  usersScript,
} from "../../../../adopt/read/files.ts";
import { cronLinesOf, cronScript, jobsScript, otherJobsOf } from "../../../../adopt/read/jobs.ts";
import { pairsOf, recordsOf } from "../../../../adopt/read/records.ts";
import { dnsOf, dnsScript } from "../../../../adopt/read/system.ts";
import { formerFiles } from "../../../support/former-vm/files.ts";
import { temporaryDirectory } from "../../../support/program.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../../../support/program-stack/tls.ts";

const root = "/opt/registry";

/** A directory that stands for the host's root, with these files. */
async function host(files: Readonly<Record<string, string>>): Promise<string> {
  const at = await temporaryDirectory();
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(at, path)), { recursive: true });
    await writeFile(join(at, path), text);
  }
  return at;
}

async function run(script: string, ...args: string[]): Promise<Buffer> {
  const { stdout } = await execa("sh", ["-c", script, "sh", ...args], {
    encoding: "buffer",
    stripFinalNewline: false,
  });
  return Buffer.from(stdout);
}

const former = () =>
  host(
    formerFiles({
      hostname: "registry.example.com",
      account: { username: "mirror", password: "not for reports" },
    }),
  );

describe("of the registry's directory is read", () => {
  test("what lies in it, odd names too, and nothing of a store", async () => {
    const at = await former();
    await mkdir(join(at, root, "data/private/docker/registry/v2/blobs"), { recursive: true });
    await mkdir(join(at, root, "data/private/_breakglass"), { recursive: true });
    await writeFile(join(at, root, "a\nb"), "");
    await symlink("/etc", join(at, root, "link"));
    await chmod(join(at, root, "nginx.conf"), 0o600);
    const entries = entriesOf(root, await run(entriesScript, at, root));
    expect(entries.map(({ path }) => path.slice(root.length + 1))).toEqual([
      "a\nb",
      "cleanup-tags.sh",
      "config-dockerhub.yml",
      "config-ghcr.yml",
      "config-k8s.yml",
      "config-kyverno.yml",
      "config-private.yml",
      "config-quay.yml",
      "data",
      "data/private",
      "data/private/_breakglass",
      "docker-compose.yml",
      "fix-broken-blobs.sh",
      "link",
      "nginx.conf",
    ]);
    expect(entries.find(({ path }) => path.endsWith("nginx.conf"))).toMatchObject({
      type: "f",
      mode: "0600",
    });
    expect(entries.find(({ path }) => path.endsWith("link"))?.type).toBe("l");
  });

  test("a directory that is not there is an error that names the option", async () => {
    await expect(run(entriesScript, await host({ "/etc/x": "" }), root)).rejects.toThrow("--directory");
  });

  test("the configuration, with passwords hidden and all else as it is", async () => {
    const at = await former();
    const paths = [`${root}/config-dockerhub.yml`, `${root}/config-private.yml`, `${root}/missing.yml`];
    const texts = pairsOf(await run(textsScript, at, ...paths));
    expect([...texts.keys()]).toEqual(paths.slice(0, 2));
    expect(texts.get(`${root}/config-dockerhub.yml`)).toContain("  username: mirror\n  password: (hidden)\n");
    const written = formerFiles({ hostname: "registry.example.com" })[`${root}/config-private.yml`];
    expect(texts.get(`${root}/config-private.yml`)).toBe(written);
  });

  test.each([
    ["password: hunter2", "password: (hidden)"],
    ['    "secret": "hunter2",', '    "secret": (hidden)'],
    ["      - REGISTRY_PROXY_PASSWORD=hunter2", "      - REGISTRY_PROXY_PASSWORD=(hidden)"],
    ['proxy_set_header Authorization "Basic hunter2";', "proxy_set_header Authorization (hidden)"],
    ["  http_secret: hunter2", "  http_secret: (hidden)"],
    ["      - ./htpasswd:/auth/htpasswd:ro", "      - ./htpasswd:/auth/htpasswd:ro"],
    ["secrets:", "secrets:"],
  ])("a line %s as %s", async (line, shown) => {
    const at = await host({ "/opt/registry/a.yml": `${line}\n` });
    expect(pairsOf(await run(textsScript, at, "/opt/registry/a.yml")).get("/opt/registry/a.yml")).toBe(
      `${shown}\n`,
    );
  });

  test("names of accounts and no hash, certificates and no key", async () => {
    const at = await host({
      "/opt/registry/htpasswd": "builder:$2y$05$hashhashhash\n# none\nreader:$2y$05$other\n",
      "/opt/registry/tls/both.pem": `${PRIVATE_KEY}${CERTIFICATE}`,
    });
    const users = await run(usersScript, at, "/opt/registry/htpasswd");
    expect(pairsOf(users).get("/opt/registry/htpasswd")).toBe("builder\nreader\n");
    const certificates = await run(certificatesScript, at, "/opt/registry/tls/both.pem");
    expect(pairsOf(certificates).get("/opt/registry/tls/both.pem")).toBe(CERTIFICATE);
  });
});

describe("of the crontabs is read", () => {
  test("every line that schedules something, and which of them do harm", async () => {
    const at = await former();
    await mkdir(join(at, "etc/cron.d"), { recursive: true });
    await writeFile(
      join(at, "etc/cron.d/e2scrub"),
      "# a comment\nPATH=/bin\n30 3 * * 0 root test -e /run || true\n",
    );
    await writeFile(join(at, "etc/cron.d/.placeholder"), "0 0 * * * root not read\n");
    await writeFile(join(at, "etc/crontab"), "");
    const lines = cronLinesOf(await run(cronScript, at), at);
    expect(lines.filter(({ harm }) => harm !== undefined)).toHaveLength(9);
    expect(lines.filter(({ harm }) => harm === undefined)).toEqual([
      {
        file: "/etc/cron.d/e2scrub",
        number: 3,
        line: "30 3 * * 0 root test -e /run || true",
        harm: undefined,
      },
    ]);
  });

  test("none where there is none", async () => {
    expect(cronLinesOf(await run(cronScript, await host({ "/etc/x": "" })))).toEqual([]);
  });
});

describe("of units and scripts is read", () => {
  test("which line does harm, as it stands there, and whether it is all of the command", async () => {
    const collect = "docker exec registry-private registry garbage-collect";
    const at = await host({
      "/etc/systemd/system/gc.service": `[Service]\nExecStart=${collect} -m /c.yml\n`,
      "/etc/systemd/system/long.service": `[Service]\nExecStart=${collect} \\\n  -m /c.yml\n`,
      "/etc/systemd/system/fine.service": `[Service]\nExecStart=${collect} /c.yml\n`,
      "/etc/cron.weekly/gc": `#!/bin/sh\n  ${collect} -m /c.yml\n`,
      "/etc/cron.d/gc": `0 3 * * 0 root ${collect} -m /c.yml\n`,
    });
    const jobs = otherJobsOf(await run(jobsScript, at), at);
    expect(jobs.map(({ file, number, line, isOneLine }) => [`${file}:${number}`, line, isOneLine])).toEqual([
      ["/etc/cron.weekly/gc:2", `  ${collect} -m /c.yml`, true],
      ["/etc/systemd/system/gc.service:2", `ExecStart=${collect} -m /c.yml`, true],
      ["/etc/systemd/system/long.service:2", `ExecStart=${collect} \\`, false],
    ]);
  });
});

test("of DNS is read who is asked, and no password of a network", async () => {
  const at = await host({
    "/etc/resolv.conf": "nameserver 127.0.0.53\nsearch example.lan\n",
    "/etc/systemd/resolved.conf.d/10-internal-dns.conf":
      "[Resolve]\nDNS=10.0.20.1\nFallbackDNS=94.140.14.14\nDomains=example.lan\n",
    "/etc/netplan/50-cloud-init.yaml":
      "network:\n  wifis:\n    w0:\n      access-points:\n        home:\n          password: hunter2\n  ethernets:\n    eth0:\n      nameservers:\n        addresses: [10.0.20.1]\n",
  });
  const output = await run(dnsScript, at);
  expect(output.toString()).not.toContain("hunter2");
  expect(dnsOf(output)).toEqual({
    servers: ["10.0.20.1", "94.140.14.14"],
    searchDomains: ["example.lan"],
    files: [
      "/etc/resolv.conf",
      "/etc/systemd/resolved.conf.d/10-internal-dns.conf",
      "/etc/netplan/50-cloud-init.yaml",
    ],
  });
});

test("reading leaves no file behind", async () => {
  const at = await former();
  const before = await readdir(at, { recursive: true });
  await run(cronScript, at);
  await run(entriesScript, at, root);
  await run(textsScript, at, `${root}/docker-compose.yml`);
  expect(await readdir(at, { recursive: true })).toEqual(before);
});

test("a listing that was cut off is an error and not a short one", () => {
  expect(() => recordsOf(Buffer.from("a\0b"), 2)).toThrow("cut off");
  expect(() => recordsOf(Buffer.from("a\0b\0c\0"), 2)).toThrow("cut off");
  expect(() => cronLinesOf(Buffer.from(""))).toThrow("cut off");
});
