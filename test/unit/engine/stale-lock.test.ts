import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test, vi } from "vitest";
import { isProcessRunning, isStaleLock } from "../../../engine/stale-lock.ts";

describe("a lock", () => {
  const message = (host: string, pid: number) =>
    `error: the stack is currently locked by 1 lock(s). Either wait ... \n  file:///x.json: created by root@${host} (pid ${pid}) at 2026-11-21T05:00:00Z`;
  const running = (pid: number) => pid === 1;

  test.each([
    ["of a process of this machine that is gone", message("here", 4), true],
    ["of a process that runs", message("here", 1), false],
    ["of another machine", message("there", 4), false],
    ["whose holder the message does not name", "the stack is currently locked", false],
  ])("%s", (_what, text, stale) => {
    expect(isStaleLock(text, "here", running)).toBe(stale);
  });

  test("is only read from a refusal because of a lock", () => {
    expect(isStaleLock("created by root@here (pid 4)", "here", running)).toBe(false);
  });

  test("is held by a process that runs, not by one that has ended and is not yet collected", async () => {
    // The shell becomes a program that collects no child; its child ends when that has happened.
    const script = "(until grep -q sleep /proc/$$/comm; do :; done) & echo $!; exec sleep 60";
    const parent = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
    try {
      const [printed] = (await once(parent.stdout, "data")) as [Buffer];
      await vi.waitUntil(() => !isProcessRunning(Number(printed)), { timeout: 5000 });
      expect(() => process.kill(Number(printed), 0)).not.toThrow();
      expect(isProcessRunning(parent.pid ?? 0)).toBe(true);
    } finally {
      parent.kill();
    }
    expect(isProcessRunning(process.pid)).toBe(true);
  });
});
