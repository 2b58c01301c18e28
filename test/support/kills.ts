import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect } from "vitest";

/**
 * By how much the number of the effect grows at which a program is killed next: every third one, since each kill takes
 * seconds; each one with REGWARDEN_KILLS=all.
 */
export const killStep = process.env.REGWARDEN_KILLS === "all" ? 1 : 3;

/**
 * Whether the program was killed before the effect of this number, counted from 1; false when it came to its end. It takes a
 * signal and the number of an effect before its own arguments, as those named `killed-...` do.
 */
export async function isKilledAt(effect: number, program: string, ...argv: string[]): Promise<boolean> {
  const child = spawn(process.execPath, [program, "SIGKILL", String(effect), ...argv], { stdio: "ignore" });
  const [code, signal] = await once(child, "exit");
  if (signal === "SIGKILL") return true;
  expect(code).toBe(0);
  return false;
}
