import { rmSync } from "node:fs";
import { lab, saidFile } from "../support/lab/stack.ts";

/** Brings up the lab that all end-to-end tests share; what this returns takes it down again. */
export default async function setup(): Promise<() => Promise<void>> {
  rmSync(saidFile, { force: true });
  const { exitCode, output } = await lab("up");
  if (exitCode !== 0) throw new Error(`the lab does not come up:\n${output}`);
  return async () => {
    // Keeping it saves a minute while one writes tests.
    if (process.env.REGWARDEN_KEEP_LAB !== undefined) return;
    const { exitCode, output } = await lab("down");
    if (exitCode !== 0) throw new Error(`the lab does not go down:\n${output}`);
    rmSync(saidFile, { force: true });
  };
}
