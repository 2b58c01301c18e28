import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RetainReport } from "../../../../contract/retain-report.ts";
import { ProgramError } from "../../../../scripts/cli/errors.ts";
import { readGauge } from "../../../../scripts/report/exposition.ts";
import { runRetain } from "../../../../scripts/retain/main.ts";
import { moveWhileHeld } from "../../../../scripts/retain/move-while-held.ts";
import { createEffects, type Effects } from "../../../../scripts/store-change/effects.ts";
import { startFreezeServer } from "../../../support/gc/freeze-server.ts";
import { holdOf, recordingTerminal } from "../../../support/gc/sweep-root.ts";
import { image } from "../../../support/images/oci-content.ts";
import { regwarden, temporaryDirectory } from "../../../support/program.ts";
import { setPushTime, writeRules } from "../../../support/store/retained-store.ts";
import { storeAt } from "../../../support/store/store.ts";
import { treeOf } from "../../../support/store/tree.ts";

const hour = 3_600_000;

/** A store with three tags, of which the newest stays, and a server that holds writes. */
async function scene() {
  const root = await temporaryDirectory();
  const store = storeAt(join(root, "private"));
  for (const [age, tag] of ["v3", "v2", "v1"].entries()) {
    await store.push("ci/a", image(tag, "linux/amd64"), tag);
    await setPushTime(store, "ci/a", tag, Date.now() - (age + 1) * hour);
  }
  const rules = await writeRules(root, [{ repositories: ["**"], keep: { newest: 1 } }]);
  const server = await startFreezeServer(await temporaryDirectory());
  const metrics = join(await temporaryDirectory(), "retain.prom");
  const argv = [root, "--rules", rules, "--max-removed", "100%", "--metrics", metrics, "--apply"];
  const apply = async (effects: Effects = createEffects()) => {
    const terminal = recordingTerminal();
    const exitCode = await runRetain([...argv, ...server.argv, "--json"], terminal, effects);
    return { exitCode, report: JSON.parse(terminal.written.out) as RetainReport };
  };
  const tree = () => treeOf(join(root, "private"));
  return { argv, server, metrics, apply, tree };
}

describe("with --freeze, retain", () => {
  test("holds writes for as long as tags are moved, and says for how long", async () => {
    const { server, metrics, apply } = await scene();
    const seen: [effect: string, isHeld: boolean][] = [];
    const effects = createEffects(async (effect) => void seen.push([effect, await server.isFrozenIn(0)]));
    const { exitCode, report } = await apply(effects);
    expect([exitCode, report.registries[0]?.moved]).toEqual([0, 2]);
    expect(seen.filter(([effect]) => effect === "move")).toEqual([
      ["move", true],
      ["move", true],
    ]);
    expect(seen[0]).toEqual([expect.any(String), false]);
    expect(existsSync(server.flagFile)).toBe(false);
    expect(report.freezeSeconds).toBeGreaterThan(0);
    expect(readGauge(await readFile(metrics, "utf8"), "regwarden_retain_freeze_seconds")).toBe(
      report.freezeSeconds,
    );
  });

  test("moves nothing where nginx does not say that writes are held, and ends with 3", async () => {
    const { argv, server, apply, tree } = await scene();
    const before = await tree();
    server.goDown();
    const { exitCode, report } = await apply();
    expect([exitCode, report.complete, report.run, report.freezeSeconds]).toEqual([3, false, null, null]);
    const text = expect.stringMatching(/does not say whether writes are held.* stays until the next run\.$/);
    expect(report.refused).toEqual([
      { registry: "private", repository: null, reason: "freeze", tags: 2, until: null, text },
    ]);
    expect(await tree()).toEqual(before);
    const { stdout } = await regwarden(["retain", ...argv, ...server.argv]);
    expect(stdout).toMatch(/^refused {2}private \(writes not held, 2 tags stay\): http:/m);
    expect(stdout).toMatch(/^0 of 2 tags moved out of the store/m);
    expect(stdout).not.toContain("--undo");
  });

  test("holds nothing when no tag goes", async () => {
    const { server, apply } = await scene();
    await apply();
    server.goDown();
    expect(await apply()).toMatchObject({ exitCode: 0, report: { freezeSeconds: null, refused: [] } });
  });

  test.each([
    [["--freeze", "flag"], /belong together/],
    [["--freeze-status", "http://127.0.0.1/freeze"], /belong together/],
    [["--freeze", "flag", "--freeze-status", "nowhere"], /must be an http address/],
    [["--freeze", "flag", "--freeze-status", "http://127.0.0.1/freeze", "--offline"], /contradict/],
  ])("refuses %s", async (flags, message) => {
    const { argv, tree } = await scene();
    const before = await tree();
    expect(await regwarden(["retain", ...argv, ...flags])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(message),
    });
    expect(await tree()).toEqual(before);
  });
});

describe("many tags", () => {
  const all = Array.from({ length: 600 }, (_, number) => number);
  const running = { terminal: recordingTerminal(), interruption: { signal: () => undefined } };

  async function moved(circumstances: Partial<Parameters<typeof moveWhileHeld>[1]>) {
    const batches: number[] = [];
    const ended = await moveWhileHeld(
      all,
      { hold: null, ...running, ...circumstances },
      async ({ length }) => {
        batches.push(length);
      },
    );
    return { batches, ...ended };
  }

  test("are moved within one freeze while its budget lasts", async () => {
    const hold = holdOf();
    expect(await moved({ hold })).toEqual({ batches: [250, 250, 100], freezeSeconds: 1.5, fault: undefined });
    expect(hold.calls).toEqual(["begin", "verify", "verify", "verify", "end"]);
  });

  test("are moved within several freezes, between which writes go on", async () => {
    const hold = holdOf({ left: () => ({ budgetMs: 100, hardStopMs: 15_000 }) });
    expect(await moved({ hold })).toEqual({ batches: [250, 250, 100], freezeSeconds: 1.5, fault: undefined });
    const freeze = ["begin", "verify", "end"];
    expect(hold.calls).toEqual([...freeze, ...freeze, ...freeze]);
  });

  test("stay from the batch on before which writes are not held any more", async () => {
    const fault = new ProgramError("E_FREEZE", "nginx does not hold writes");
    let checks = 0;
    const verify = () => (++checks === 2 ? Promise.reject(fault) : Promise.resolve());
    const hold = holdOf({ verify });
    expect(await moved({ hold })).toEqual({ batches: [250], freezeSeconds: 1.5, fault });
    expect(hold.calls.at(-1)).toBe("end");
  });

  test("stay from the next batch on when a signal comes", async () => {
    let checks = 0;
    const interruption = { signal: () => (++checks > 1 ? ("SIGTERM" as const) : undefined) };
    const hold = holdOf();
    expect(await moved({ hold, interruption })).toMatchObject({ batches: [250], fault: undefined });
    expect(hold.calls.at(-1)).toBe("end");
  });

  test("let writes go on when the file system fails", async () => {
    const hold = holdOf();
    const full = () => Promise.reject(Object.assign(new Error("ENOSPC: full"), { code: "ENOSPC" }));
    await expect(moveWhileHeld(all, { hold, ...running }, full)).rejects.toThrow("ENOSPC");
    expect(hold.calls).toEqual(["begin", "verify", "end"]);
  });
});
