import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { hasEnded, readRunNote, removeEndedNotes } from "../../../../engine/lock/run-notes.ts";
import { projectRoot } from "../../../../lab/machine/paths.ts";

/** Runs the CLI's launcher with another program in the CLI's place. */
function launch(runs: string, program: string, ...args: string[]) {
  const env = { PATH: process.env.PATH, REGWARDEN_PULUMI: program, REGWARDEN_RUNS: runs };
  return spawn(join(projectRoot, "engine/cli/bin/pulumi"), args, {
    env,
    stdio: ["ignore", "pipe", "ignore"],
  });
}

const directory = () => mkdtempSync(join(tmpdir(), "regwarden-runs-"));

describe("the note of a run", () => {
  test("is written before the CLI starts, by the process that becomes it", async () => {
    const runs = directory();
    const child = launch(runs, "/bin/sh", "-c", "echo $$");
    const [printed] = (await once(child.stdout, "data")) as [Buffer];
    await once(child, "exit");
    expect(Number(printed)).toBe(child.pid);
    const note = readRunNote(runs, child.pid ?? 0);
    expect(note?.namespace).toMatch(/^pid:\[\d+\]$/);
    expect(note && hasEnded(note, child.pid ?? 0)).toBe(true);
  });

  test("is of a process that runs, until it has ended", async () => {
    const runs = directory();
    const child = launch(runs, "/bin/sleep", "60");
    const pid = child.pid ?? 0;
    const note = await vi.waitUntil(() => readRunNote(runs, pid), { timeout: 5000 });
    expect(hasEnded(note, pid)).toBe(false);
    removeEndedNotes(runs);
    expect(readdirSync(runs)).toEqual([String(pid)]);
    child.kill();
    await once(child, "exit");
    expect(hasEnded(note, pid)).toBe(true);
    removeEndedNotes(runs);
    expect(readdirSync(runs)).toEqual([]);
  });

  test("is of a process that has ended when its number is another's by now", () => {
    const runs = directory();
    writeFileSync(join(runs, String(process.pid)), noteOf(process.pid));
    const read = readRunNote(runs, process.pid);
    expect(read && hasEnded(read, process.pid)).toBe(false);
    expect(read && hasEnded({ ...read, startTicks: "1" }, process.pid)).toBe(true);
  });

  test.each([
    ["boot", { boot: "00000000-0000-0000-0000-000000000000" }],
    ["namespace", { namespace: "pid:[1]" }],
  ])("of another %s says nothing about a process of here", (_what, change) => {
    const runs = directory();
    const gone = Number.MAX_SAFE_INTEGER;
    writeFileSync(join(runs, String(gone)), noteOf(process.pid));
    const note = readRunNote(runs, gone);
    expect(note && hasEnded(note, gone)).toBe(true);
    expect(note && hasEnded({ ...note, ...change }, gone)).toBe(false);
  });

  test("is of a process that has ended when that was killed and is not yet collected", async () => {
    const runs = directory();
    // The shell becomes a program that collects no child; its child ends when that has happened.
    const script = "(until grep -q sleep /proc/$$/comm; do :; done) & echo $!; exec sleep 60";
    const parent = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
    try {
      const [printed] = (await once(parent.stdout, "data")) as [Buffer];
      const child = Number(printed);
      writeFileSync(join(runs, String(child)), noteOf(child));
      const note = readRunNote(runs, child);
      await vi.waitUntil(() => note && hasEnded(note, child), { timeout: 5000 });
      expect(() => process.kill(child, 0)).not.toThrow();
    } finally {
      parent.kill();
    }
  });
});

function noteOf(pid: number): string {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8");
  const namespace = readlinkSync("/proc/self/ns/pid");
  return `${boot}${namespace}\n${readFileSync(`/proc/${pid}/stat`, "utf8")}`;
}
