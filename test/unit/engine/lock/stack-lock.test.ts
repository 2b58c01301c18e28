import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  describeLock,
  isLeftOver,
  isLocked,
  locksIn,
  removeLock,
} from "../../../../engine/lock/stack-lock.ts";

const refusal = `error: the stack is currently locked by 2 lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.
  file:///var/state/.pulumi/locks/organization/regwarden/prod/0f.json?metadata=skip: created by root@here (pid 4) at 2026-11-21T05:00:00Z
  file:///var/state/.pulumi/locks/organization/regwarden/prod/1a.json: created by ci@there (pid 17) at 2026-11-21T06:00:00+01:00`;

describe("a lock", () => {
  test("is read once from the refusal, which names it twice: its file, holder and time", () => {
    expect(isLocked(refusal)).toBe(true);
    expect(locksIn(`${refusal}\n${refusal}`)).toEqual([
      {
        file: ".pulumi/locks/organization/regwarden/prod/0f.json",
        user: "root",
        host: "here",
        processId: 4,
        takenAt: new Date("2026-11-21T05:00:00Z"),
      },
      {
        file: ".pulumi/locks/organization/regwarden/prod/1a.json",
        user: "ci",
        host: "there",
        processId: 17,
        takenAt: new Date("2026-11-21T05:00:00Z"),
      },
    ]);
  });

  test("of Pulumi Cloud is known too, without a holder", () => {
    const message = "error: [409] Conflict: Another update is currently in progress.";
    expect([isLocked(message), locksIn(message)]).toEqual([true, []]);
    expect(isLocked("error: no stack named 'x' found")).toBe(false);
  });

  test.each([
    [30, "less than a minute"],
    [60, "1 minute"],
    [3600, "60 minutes"],
    [3 * 3600, "3 hours"],
    [72 * 3600, "3 days"],
  ])("of %i seconds is named with its age: %s", (seconds, age) => {
    const [lock] = locksIn(refusal);
    const now = new Date(Date.parse("2026-11-21T05:00:00Z") + seconds * 1000);
    expect(lock && describeLock(lock, now)).toBe(`root@here (process 4), for ${age}`);
  });

  test("is left over only by a noted process of here that is gone, and taken shortly after the note", () => {
    const runs = mkdtempSync(join(tmpdir(), "regwarden-runs-"));
    const noted = Number.MAX_SAFE_INTEGER;
    const lock = { file: "x", user: "root", host: hostname(), processId: noted, takenAt: new Date() };
    expect(isLeftOver(lock, runs)).toBe(false);
    writeFileSync(join(runs, String(noted)), noteOfHere());
    expect(isLeftOver(lock, runs)).toBe(true);
    expect(isLeftOver({ ...lock, host: "another" }, runs)).toBe(false);
    expect(isLeftOver({ ...lock, takenAt: new Date(Date.now() - 60_000) }, runs)).toBe(false);
    expect(isLeftOver({ ...lock, takenAt: new Date(Date.now() + 3_600_000) }, runs)).toBe(false);
    expect(isLeftOver({ ...lock, processId: noted - 1 }, runs)).toBe(false);
  });

  test("is removed with its note on the content type, and no other lock", () => {
    const backend = mkdtempSync(join(tmpdir(), "regwarden-locks-"));
    const directory = join(backend, ".pulumi/locks/organization/regwarden/prod");
    mkdirSync(directory, { recursive: true });
    for (const name of ["0f.json", "0f.json.attrs", "1a.json"]) writeFileSync(join(directory, name), "{}");
    const [lock] = locksIn(refusal);
    if (lock) removeLock(backend, lock);
    expect(readdirSync(directory)).toEqual(["1a.json"]);
  });
});

function noteOfHere(): string {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8");
  const namespace = readlinkSync("/proc/self/ns/pid");
  return `${boot}${namespace}\n${readFileSync("/proc/self/stat", "utf8")}`;
}
