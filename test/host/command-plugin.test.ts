import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { CommandPlugin } from "../../lab/machine/command-plugin/command-plugin.ts";
import { keyPair } from "../support/lab/key-pair.ts";
import { type TestHost, testHost } from "../support/lab/test-host.ts";

/** What the released plugin, 1.2.1, answers: read in its source, and seen with it. */
const type = "command:remote:Command";
let host: TestHost;
let inputs: { connection: Record<string, unknown>; create: string; addPreviousOutputInEnv: boolean };

beforeAll(async () => {
  host = await testHost();
  const { address, sshPort, hostKey, privateKeyFile } = host.lab;
  const privateKey = readFileSync(privateKeyFile, "utf8");
  inputs = {
    connection: { host: address, port: sshPort, hostKey, privateKey, dialErrorLimit: 1 },
    create: "echo done",
    addPreviousOutputInEnv: false,
  };
});
afterEach(() => vi.unstubAllEnvs());

const create = (changes: Record<string, unknown>) =>
  new CommandPlugin().create(type, { ...inputs, connection: { ...inputs.connection, ...changes } }, false);
const faults = (news: Record<string, unknown>) =>
  new CommandPlugin().check(type, news).failures.map(({ property, reason }) => `${property}: ${reason}`);

describe("the stand-in for the command plugin, as the plugin,", () => {
  test("runs a command", async () => {
    expect((await create({})).outputs.stdout).toBe("done");
  });

  test("has no way with a host key of type ssh-rsa", () => {
    const connection = { ...inputs.connection, hostKey: "ssh-rsa AAAAB3Nz" };
    expect(faults({ ...inputs, connection })).toEqual([expect.stringMatching(/ssh-rsa.*SHA-1/)]);
  });

  test("finds no key in one with carriage returns", async () => {
    const privateKey = String(inputs.connection.privateKey).replaceAll("\n", "\r\n");
    await expect(create({ privateKey })).rejects.toThrow("ssh: no key found");
  });

  test.each(["agentSocketPath", "SSH_AUTH_SOCK"])(
    "fails on an agent that is not there, by %s, also beside a private key",
    async (by) => {
      const missing = join(import.meta.dirname, "no-agent");
      if (by === "SSH_AUTH_SOCK") vi.stubEnv(by, missing);
      await expect(create(by === "SSH_AUTH_SOCK" ? {} : { [by]: missing })).rejects.toThrow(
        /dial unix .*no-agent/,
      );
    },
  );

  test("dials once more with a key that was refused, and names no host", async () => {
    const attempts = async () =>
      Number(await host.sh("journalctl -u ssh --no-pager | grep -c 'authenticating user' || true"));
    const before = await attempts();
    const failure = await create({ privateKey: keyPair().privateKey }).catch(String);
    expect(failure).toContain("after 1 failed attempts");
    expect(failure).not.toContain(host.lab.address);
    expect((await attempts()) - before).toBe(2);
  });

  test("refuses what would make the plugin warn at each update", () => {
    expect(faults({ ...inputs, addPreviousOutputInEnv: undefined })).toEqual([
      "addPreviousOutputInEnv: must be false",
    ]);
  });
});
