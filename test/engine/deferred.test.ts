import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeSshKeyPair, type SshServer, startSshServer } from "../support/server/ssh-server.ts";
import { type Ended, SmallStack, smallStackNeeds } from "../support/small-stack.ts";

const key = makeSshKeyPair();
let stack: SmallStack;
let server: SshServer | undefined;
let environment: Record<string, string>;

beforeAll(async () => {
  await smallStackNeeds();
});

beforeEach(async () => {
  stack = new SmallStack("prod");
  stack.openGate();
  server = await startSshServer(key);
  const connection = {
    host: "127.0.0.1",
    port: server.port,
    privateKey: key.private,
    hostKey: key.public,
    dialErrorLimit: 1,
  };
  environment = { SMALL_DNS_HOST: JSON.stringify(connection) };
  const hosts = [{ name: "proxmox" }];
  writeFileSync(
    join(stack.project, "Pulumi.prod.yaml"),
    JSON.stringify({ config: { "regwarden:dns": { hosts } } }),
  );
});
afterEach(async () => {
  await server?.stop();
});

const run = async (operation: string, ...args: string[]): Promise<Ended> =>
  await stack.start(operation, args, environment).end;
const editByHand = () => writeFileSync(join(stack.steps, "watch"), "by hand");

async function succeeds(operation: string, ...args: string[]): Promise<void> {
  const { exitCode, output } = await run(operation, ...args);
  expect(exitCode, output).toBe(0);
}

async function goesDown(): Promise<number> {
  const port = server?.port ?? 0;
  await server?.stop();
  server = undefined;
  return port;
}

describe("a host that cannot be reached", () => {
  test("at the first update is deferred by name, and made once it answers", async () => {
    const port = await goesDown();
    const { exitCode, output } = await run("up", "--yes");
    expect(exitCode, output).toBe(1);
    expect(output).toMatch(/proxmox is deferred: root@127\.0\.0\.1:\d+: cannot connect/);
    expect(output).toMatch(
      /Deferred, as they could not be reached[\s\S]*\n {2}proxmox: root@127\.0\.0\.1:\d+: cannot connect/,
    );
    expect(["first", "held", "last", "watch", "behind"].map((name) => stack.hasStep(name))).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
    server = await startSshServer(key, port);
    await succeeds("up", "--yes");
    expect(stack.hasStep("behind")).toBe(true);
  });

  test("later is deferred by name, the rest is updated, and the run fails", async () => {
    await succeeds("up", "--yes");
    await goesDown();
    editByHand();
    const { exitCode, output } = await run("up", "--yes");
    expect(exitCode, output).toBe(1);
    expect(output).toMatch(/\n {2}proxmox: root@127\.0\.0\.1:\d+: cannot connect/);
    expect(output).toContain("up of stack prod is done but for the hosts below");
    const drift = await run("drift");
    expect(drift.exitCode, drift.output).toBe(1);
    expect(drift.output).toContain("could not check proxmox; no drift in the rest");
  });

  test("is never counted as without drift, and drift of the rest is found", async () => {
    await succeeds("up", "--yes");
    const port = await goesDown();
    const unchecked = await run("drift");
    expect(unchecked.exitCode, unchecked.output).toBe(1);
    expect(unchecked.output).toMatch(/could not check proxmox[\s\S]*proxmox: root@127\.0\.0\.1/);
    editByHand();
    const drift = await run("drift");
    expect(drift.exitCode, drift.output).toBe(7);
    expect(drift.output).toMatch(/update\s+Step\s+watch/);
    expect(drift.output).not.toMatch(/update\s+Reachable/);
    expect(drift.output).toMatch(/\n {2}proxmox: root@127\.0\.0\.1/);
    server = await startSshServer(key, port);
    await succeeds("up", "--yes");
    await succeeds("drift");
  });

  test("is named by a preview, which fails", async () => {
    await succeeds("up", "--yes");
    await goesDown();
    const { exitCode, output } = await run("preview");
    expect(exitCode, output).toBe(1);
    expect(output).toMatch(/\n {2}proxmox: root@127\.0\.0\.1/);
  });

  test("does not keep a destroy from taking the rest away", async () => {
    await succeeds("up", "--yes");
    rmSync(join(stack.steps, "behind"));
    await goesDown();
    await run("destroy", "--yes");
    expect(["first", "watch"].map((name) => stack.hasStep(name))).toEqual([false, false]);
  });
});
