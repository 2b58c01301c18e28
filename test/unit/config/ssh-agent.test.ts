import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { agentFaults } from "../../../config/ssh-agent.ts";

const directory = mkdtempSync(join(tmpdir(), "regwarden-agent-"));
const socket = join(directory, "socket");
const file = join(directory, "file");
const missing = join(directory, "missing");
const server = createServer();
const none = { configured: undefined, inherited: undefined, hasKey: true };

beforeAll(async () => {
  writeFileSync(file, "");
  await new Promise<void>((resolve) => server.listen(socket, resolve));
});
afterAll(() => void server.close());

describe("an SSH agent", () => {
  test.each([
    ["is not needed beside a key", none],
    ["of the environment that has ended is not needed beside a key", { ...none, inherited: missing }],
    ["is the configuration's", { ...none, configured: socket, hasKey: false }],
    ["is the environment's", { ...none, inherited: socket, hasKey: false }],
    [
      "of the configuration is asked and not the environment's",
      { ...none, configured: socket, inherited: missing },
    ],
  ])("%s", (_, use) => {
    expect(agentFaults(use)).toEqual([]);
  });

  test.each([
    ["is configured and is not there", { ...none, configured: missing }, /there is none at this path/],
    ["is configured and is a file", { ...none, configured: file }, /there is none at this path/],
    [
      "is the environment's and has ended",
      { ...none, inherited: missing, hasKey: false },
      /SSH_AUTH_SOCK .*missing/,
    ],
    ["is neither there nor replaced by a key", { ...none, hasKey: false }, /sshPrivateKey/],
  ])("that %s is a fault with what to do", (_, use, rule) => {
    expect(agentFaults(use)).toEqual([
      expect.objectContaining({ key: "host.agentSocketPath", rule: expect.stringMatching(rule) }),
    ]);
  });
});
