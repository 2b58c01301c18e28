import { readFileSync } from "node:fs";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { file } from "../../provider/kinds/file.ts";
import { HostPlugin } from "../../provider/plugin.ts";
import { assertFit } from "../../provider/remote/preflight.ts";
import { SshHost } from "../../provider/ssh/host.ts";
import { type TestHost, testHost } from "../support/lab/test-host.ts";

let host: TestHost;
const path = "/srv/preflight-test";
const inputs = { path, content: "x", mode: "0644", owner: "root", group: "root", type: "file" };

/** A program that stands before the real one in PATH. */
const standIn = (name: string, script: string) =>
  host.sh(
    `printf '%s\\n' '#!/bin/sh' '${script}' >/usr/local/bin/${name} && chmod +x /usr/local/bin/${name}`,
  );

beforeAll(async () => {
  host = await testHost();
});
afterEach(async () => {
  await host.sh(`rm -f /usr/local/bin/systemctl /usr/local/bin/docker ${path}`);
});

describe("a host", () => {
  test("with all that the stack needs is fit, for root and for an account with passwordless sudo", async () => {
    await assertFit(host.root);
    await assertFit(host.deploy);
  });

  test("that lacks several things is refused with all of them at once, and nothing is written", async () => {
    await standIn("systemctl", "echo systemd 229");
    await standIn("docker", 'case "$1" in version) echo 20.10.7 ;; info) echo / ;; *) exit 1 ;; esac');
    await host.sh(
      "id plain >/dev/null 2>&1 || useradd -m plain; mkdir -p ~plain/.ssh; cp /root/.ssh/authorized_keys ~plain/.ssh/; chown -R plain ~plain/.ssh",
    );
    const plain = new SshHost(host.connection({ user: "plain" }));
    const failure = String(await assertFit(plain).catch((error: Error) => error.message));
    await plain.close();
    expect(failure).toMatch(/lacks what the stack needs; nothing was changed:/);
    expect(failure).toMatch(/- the account plain needs passwordless sudo/);
    expect(failure).toMatch(/- systemd 239 or newer is needed, found 229/);
    expect(failure).toMatch(/- Docker's compose plugin 2\.20 or newer is not installed/);
    await expect(assertFit(host.root)).rejects.toThrow(
      /- Docker Engine 25 or newer is needed, found 20\.10\.7/,
    );
  });

  test("is fit with the mount points that it needs, and not without", async () => {
    await assertFit(host.root, ["/", "/proc"]);
    await expect(assertFit(host.root, ["/", "/srv"])).rejects.toThrow(/- \/srv is no mount point/);
  });

  test("is checked before the first change, for which nothing has been done yet", async () => {
    await standIn("docker", "exit 1");
    const plugin = new HostPlugin({ File: file });
    const { address, sshPort, hostKey, privateKeyFile } = host.lab;
    const connection = {
      host: address,
      port: sshPort,
      hostKey,
      privateKey: readFileSync(privateKeyFile, "utf8"),
    };
    plugin.configure({ connection: JSON.stringify(connection) });
    expect(await plugin.read("File", path, { inputs, outputs: inputs })).toBeUndefined();
    const failures = await Promise.all([1, 2].map(() => plugin.create("File", inputs, false).catch(String)));
    expect(failures[0]).toMatch(/- Docker Engine does not answer/);
    expect(failures[1]).toMatch(/not changed: another message of this run says/);
    expect(await host.sh(`ls ${path} 2>/dev/null || true`)).toBe("");
  });
});
