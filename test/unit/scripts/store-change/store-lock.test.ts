import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { lockStore, type Machine, withStoreLocks } from "../../../../scripts/store-change/store-lock.ts";
import { regwarden, temporaryDirectory } from "../../../support/program.ts";
import { holdLock } from "../../../support/store/lock-holder.ts";
import { writeRules } from "../../../support/store/retained-store.ts";
import { rootWithLostChild, writeDamagedStore } from "../../../support/store/sample-stores.ts";

const lockOf = (store: string) => join(store, ".regwarden", "lock");
const holderOf = (store: string) => join(store, ".regwarden", "lock-holder.json");

describe("the lock of a store", () => {
  test("is held by one process, which a second one names, and leaves nothing behind", async () => {
    const store = await temporaryDirectory();
    const holder = await holdLock(store);
    expect(holder.answer).toBe("held");

    const second = await holdLock(store);
    expect(second.answer).toContain(`process ${holder.pid} on `);
    expect(second.answer).toContain("Nothing was changed");

    await holder.release();
    expect(await readdir(store)).toEqual([]);
    await withStoreLocks([store], async () => {});
  });

  test("ends with a process that is killed, whatever that leaves behind", async () => {
    const store = await temporaryDirectory();
    await (await holdLock(store)).kill();
    expect((await readdir(join(store, ".regwarden"))).sort()).toEqual(["lock", "lock-holder.json"]);

    const next = await holdLock(store);

    expect(next.answer).toBe("held");
    expect(JSON.parse(await readFile(holderOf(store), "utf8"))).toMatchObject({ pid: next.pid });
  });

  test("is never held by two, however many take it at once", async () => {
    const store = await temporaryDirectory();
    const program = join(import.meta.dirname, "../../../support/store/race-for-lock.ts");
    const racers = Array.from({ length: 4 }, () =>
      promisify(execFile)(process.execPath, [program, store, "100"]),
    );
    for (const { stdout } of await Promise.all(racers))
      expect(JSON.parse(stdout)).toEqual({ taken: 100, shared: 0 });
  }, 60_000);

  test("is the same for a data root and for one of its stores", async () => {
    const root = await temporaryDirectory();
    await writeDamagedStore(root);
    const holder = await holdLock(join(root, "private"));

    for (const directory of [root, join(root, "private")]) {
      const { exitCode, stderr } = await regwarden([
        "repair",
        directory,
        "--apply",
        "--authoritative",
        "private",
      ]);
      expect([exitCode, stderr]).toEqual([3, expect.stringContaining(`process ${holder.pid} on `)]);
    }
    // To plan, nothing is locked.
    expect((await regwarden(["repair", root])).exitCode).toBe(1);
    await holder.release();
    expect((await regwarden(["repair", root, "--apply"])).exitCode).toBe(0);
  });

  test("is taken once for a store that two names lead to", async () => {
    const store = await temporaryDirectory();
    expect(await withStoreLocks([store, `${store}/.`, store], async () => "done")).toBe("done");
  });

  test("is given back when the work fails", async () => {
    const store = await temporaryDirectory();
    await expect(withStoreLocks([store], () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await readdir(store)).toEqual([]);
  });

  test.each([
    ["a lock file with content", "what is this\n", "{}"],
    ["a long lock file", "x".repeat(10_000), "{}"],
    ["a holder that is unparsable", "", "what is this\n"],
    ["a holder that is empty", "", ""],
  ])("is taken over %s", async (_, lock, holder) => {
    const store = await temporaryDirectory();
    await mkdir(join(store, ".regwarden"));
    await writeFile(lockOf(store), lock);
    await writeFile(holderOf(store), holder);
    expect((await holdLock(store)).answer).toBe("held");
  });

  test("does not end when the holder's name is removed", async () => {
    const store = await temporaryDirectory();
    const holder = await holdLock(store);
    await writeFile(holderOf(store), "");
    expect((await holdLock(store)).answer).toContain("a process without a name holds the lock");
    await holder.release();
    expect((await holdLock(store)).answer).toBe("held");
  });
});

describe("after a run that gave nothing back", () => {
  const machine = (boot: string, isShared: boolean): Machine => ({
    bootId: async () => boot,
    isShared: async () => isShared,
  });

  async function abandoned(boot: string, mount: "this" | "other" = "this"): Promise<string> {
    const store = await temporaryDirectory();
    await mkdir(join(store, ".regwarden"));
    const { dev } = await stat(store);
    const device = mount === "this" ? dev : dev + 1;
    const holder = { pid: 12, host: "builder", boot, device, since: "2026-11-21T10:00:00Z" };
    await writeFile(holderOf(store), JSON.stringify(holder));
    return store;
  }

  test("the lock is free on a file system of this machine", async () => {
    const store = await abandoned("before");
    const release = await lockStore(store, machine("now", false));
    expect((await stat(lockOf(store))).size).toBe(0);
    await release();
  });

  test.each([
    ["of another machine", "elsewhere", "this"],
    ["of another mount", "here", "other"],
  ] as const)("on a shared file system the name of a holder %s stands", async (_, boot, mount) => {
    const store = await abandoned(boot, mount);
    const taking = lockStore(store, machine("here", true));
    await expect(taking).rejects.toMatchObject({
      code: "E_STORE_LOCKED",
      message: expect.stringMatching(
        new RegExp(`process 12 on builder since 2026-11-21.*if it is for sure: rm ${holderOf(store)}$`),
      ),
    });
    // What stands there was not touched.
    expect(await readFile(holderOf(store), "utf8")).toContain("builder");
  });

  test("a process of this start and this mount is known to be gone, on any file system", async () => {
    const store = await abandoned("here");
    await (await lockStore(store, machine("here", true)))();
  });

  test("a machine that does not say when it was started takes nothing over on a shared file system", async () => {
    const store = await abandoned("");
    await expect(lockStore(store, machine("", true))).rejects.toMatchObject({ code: "E_STORE_LOCKED" });
  });
});

test.each([
  ["repair", async () => ["--apply"]],
  ["retain", async (root: string) => ["--rules", await writeRules(root, []), "--apply"]],
  ["gc", async () => ["--offline", "--apply"]],
])(
  "%s waits for a run that holds the lock for a second, as the watch over a quarantine does",
  async (command, flags) => {
    const { root, store } = await rootWithLostChild();
    const holder = await holdLock(store.directory);
    const argv = [command, root, ...(await flags(root))];

    const run = regwarden(argv);
    setTimeout(() => void holder.release(), 1000);

    const { exitCode, stderr } = await run;
    expect(stderr).toBe("");
    expect(exitCode).toBeLessThan(2);
  },
);
