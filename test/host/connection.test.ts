import { execFileSync } from "node:child_process";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { file } from "../../provider/kinds/file.ts";
import { SshHost } from "../../provider/ssh/host.ts";
import { keyPair } from "../support/lab/key-pair.ts";
import { type TestHost, testHost } from "../support/lab/test-host.ts";

let host: TestHost;
const path = "/srv/connection-test";
const declared = { path, content: "new\n", mode: "0644", owner: "root", group: "root", type: "file" };
const recorded = { inputs: { ...declared, content: "old\n" }, outputs: {} };

beforeAll(async () => {
  host = await testHost();
  await host.sh(`echo old >${path}`);
});

/** Connections that sshd accepted so far. */
const accepted = async () =>
  Number(await host.sh("journalctl -u ssh --no-pager | grep -c 'Accepted publickey' || true"));

/** A way to the host that can be cut after some bytes went towards it. */
async function cuttable(limitBytes: number) {
  let passed = 0;
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(host.lab.sshPort, host.lab.address);
    sockets.push(near, far);
    for (const socket of [near, far]) socket.on("error", () => {});
    far.pipe(near);
    near.on("data", (chunk) => {
      passed += chunk.length;
      if (passed > limitBytes) for (const socket of sockets) socket.destroy();
      else far.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

describe("the connection", () => {
  test("is one for all operations, however many run at once", async () => {
    const before = await accepted();
    const shared = new SshHost(host.connection());
    await Promise.all(Array.from({ length: 200 }, () => file.read(shared, path, recorded)));
    await shared.close();
    expect((await accepted()) - before).toBe(1);
  });

  test("to a host with another key is refused, and nothing is written", async () => {
    const wrong = new SshHost(host.connection({ hostKey: keyPair().publicKey }));
    const before = await accepted();
    await expect(file.update(wrong, path, recorded, declared)).rejects.toMatchObject({
      code: "E_HOST_KEY",
      message: expect.stringMatching(
        /host key does not match, nothing was sent\. Expected ssh-ed25519 .*, got AAAA/,
      ),
    });
    expect(await host.sh(`cat ${path}`)).toBe("old");
    expect((await accepted()) - before).toBe(0);
  });

  test("with a key of a type that the host has not is refused", async () => {
    const wrong = new SshHost(host.connection({ hostKey: "ecdsa-sha2-nistp256 AAAA" }));
    await expect(file.read(wrong, path, recorded)).rejects.toMatchObject({ code: "E_HOST_KEY" });
  });

  test("with a key that the account does not know fails at once, without a second try and without the key in the message", async () => {
    const { privateKey } = keyPair();
    const wrong = new SshHost(host.connection({ privateKey, dialErrorLimit: 5 }));
    const failure = await file.read(wrong, path, recorded).catch((error: Error) => error);
    expect(failure).toMatchObject({ code: "E_HOST_AUTHENTICATION" });
    expect(String(failure)).not.toContain(privateKey.split("\n")[1]);
  });

  test("is not tried again once it failed, and the failure is reported in full once", async () => {
    const wrong = new SshHost(host.connection({ privateKey: keyPair().privateKey }));
    const failures = await Promise.all([1, 2, 3].map(() => file.read(wrong, path, recorded).catch(String)));
    expect(failures.filter((each) => String(each).includes("does not accept the SSH key"))).toHaveLength(1);
    expect(
      failures.filter((each) => String(each).includes("another message of this run says why")),
    ).toHaveLength(2);
  });

  test("to where nothing listens says what to check", async () => {
    const closed = new SshHost(host.connection({ port: 1, dialErrorLimit: 2 }));
    await expect(file.read(closed, path, recorded)).rejects.toMatchObject({
      code: "E_HOST_UNREACHABLE",
      message: expect.stringMatching(/cannot connect: .*ECONNREFUSED.*Check the address/s),
    });
  });

  test("takes a key from the agent", async () => {
    const started = execFileSync("ssh-agent", ["-s"], { encoding: "utf8" });
    const [, socket = ""] = /SSH_AUTH_SOCK=([^;]+)/.exec(started) ?? [];
    const [, pid = ""] = /SSH_AGENT_PID=(\d+)/.exec(started) ?? [];
    try {
      execFileSync("ssh-add", ["-q", host.lab.privateKeyFile], {
        env: { ...process.env, SSH_AUTH_SOCK: socket },
      });
      const byAgent = new SshHost(host.connection({ privateKey: undefined, agentSocketPath: socket }));
      expect((await file.read(byAgent, path, recorded))?.inputs.content).toBe("old\n");
      await byAgent.close();
    } finally {
      process.kill(Number(pid));
    }
  });

  test.each([20_000, 200_000, 900_000])(
    "that breaks off after %i bytes leaves the old file, and the next try works",
    async (limitBytes) => {
      const way = await cuttable(limitBytes);
      const large = { ...declared, content: "x".repeat(2_000_000) };
      const fragile = new SshHost(host.connection({ host: "127.0.0.1", port: way.port }));
      await expect(file.update(fragile, path, recorded, large)).rejects.toMatchObject({
        code: "E_HOST_LOST",
      });
      way.close();
      await host.sh(
        "for i in $(seq 50); do ls /srv/.regwarden.* >/dev/null 2>&1 || exit 0; sleep 0.1; done; exit 1",
      );
      expect(await host.sh(`cat ${path}`)).toBe("old");
      const again = new SshHost(host.connection());
      await file.update(again, path, recorded, { ...declared, content: "old\n", mode: "0600" });
      await again.close();
    },
  );

  test("of an account without passwordless sudo says so", async () => {
    await host.sh(
      "id plain >/dev/null 2>&1 || useradd -m plain; mkdir -p ~plain/.ssh; cp /root/.ssh/authorized_keys ~plain/.ssh/; chown -R plain ~plain/.ssh",
    );
    const plain = new SshHost(host.connection({ user: "plain" }));
    await expect(file.read(plain, path, recorded)).rejects.toThrow(/sudo: .*NOPASSWD/s);
    await plain.close();
  });
});
