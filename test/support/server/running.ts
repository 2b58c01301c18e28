import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** Waits until something holds; a fault while it is asked means that it does not hold yet. */
export async function waitFor(
  what: string,
  limitSeconds: number,
  holds: () => Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + limitSeconds * 1000;
  while (!(await holds().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`waited ${limitSeconds} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Waits until a server that was just started answers. Errors: throws when one of its processes ends instead. */
export async function becomesReady(
  what: string,
  limitSeconds: number,
  children: readonly ChildProcess[],
  isReady: () => Promise<boolean>,
): Promise<void> {
  const ended = () => children.find(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null);
  await waitFor(what, limitSeconds, async () => ended() !== undefined || (await isReady()));
  const dead = ended();
  if (dead) throw new Error(`${what}: ${dead.spawnfile} ended with ${dead.exitCode ?? dead.signalCode}`);
}

/** Ends a process and waits until it is gone. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill();
  await ended;
}
