import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type DaemonId, daemonPid, stopDaemon } from "../../lab/cluster/daemon.ts";
import { clusterDaemons } from "../../lab/cluster/daemons.ts";
import { clusterDirectory } from "../../lab/cluster/paths.ts";
import { testInFull } from "../support/in-full.ts";
import { stackObjects } from "../support/lab/cluster.ts";
import { labEnds, noDrift } from "../support/lab/expected.ts";
import { instance } from "../support/lab/stack.ts";

function daemon(name: string): DaemonId {
  const found = clusterDaemons(instance).find((one) => one.name === name);
  if (!found) throw new Error(`the lab's cluster has no ${name}`);
  return found;
}

describe("the lab's cluster", () => {
  test("shows what of it has ended, and the next up starts that again", async () => {
    await stopDaemon(daemon("prometheus"));
    await stopDaemon(daemon("kube-apiserver"));
    const status = await labEnds(1, "status");
    expect(status).toMatch(/prometheus\s+does not run/);
    expect(status).toMatch(/kube-apiserver\s+does not run/);
    await labEnds(0, "up");
    await labEnds(0, "status");
  });

  testInFull(
    "comes back with all objects of the stack when etcd has lost its data under a running API server",
    async () => {
      const before = await stackObjects();
      const server = daemonPid(daemon("kube-apiserver"));
      const etcd = daemon("etcd");
      await stopDaemon(etcd);
      rmSync(join(etcd.directory, "data"), { recursive: true });
      await labEnds(0, "up");
      expect(
        daemonPid(daemon("kube-apiserver")),
        "the process of an API server that has the lost data in memory",
      ).not.toBe(server);
      expect((await stackObjects()).sort()).toEqual(before.sort());
      await noDrift();
    },
  );

  testInFull("comes back when all its files are deleted under running daemons", async () => {
    const before = await stackObjects();
    rmSync(clusterDirectory(instance), { recursive: true });
    await labEnds(0, "up");
    expect((await stackObjects()).sort()).toEqual(before.sort());
    await labEnds(0, "status");
    await noDrift();
  });
});
