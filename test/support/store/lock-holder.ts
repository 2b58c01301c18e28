import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";

const program = join(import.meta.dirname, "hold-lock.ts");

export interface LockHolder {
  /** `held`, or the message of the error. */
  readonly answer: string;
  /** The process that was started; with a `wrapper`, that one. */
  readonly pid: number;
  readonly kill: () => Promise<void>;
  /** Lets it give the lock back and end. */
  readonly release: () => Promise<void>;
}

/** Another process that takes the lock of a store, started by `wrapper` if there is one. */
export async function holdLock(store: string, wrapper: readonly string[] = []): Promise<LockHolder> {
  const [command = "", ...argv] = [...wrapper, process.execPath, program, store];
  const child = spawn(command, argv, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  onTestFinished(() => void child.kill("SIGKILL"));
  const [answer] = (await once(createInterface(child.stdout), "line")) as [string];
  return {
    answer,
    pid: child.pid ?? 0,
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
    release: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
