import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { LabError } from "./errors.ts";

/** Ends a lock. */
export type Release = () => void;

/**
 * Takes a lock that cannot go stale: the kernel holds it (flock) for a helper process that ends as soon as this one
 * does, because its standard input closes. `undefined`: another process has it.
 */
export async function lock(file: string, wait = false): Promise<Release | undefined> {
  mkdirSync(dirname(file), { recursive: true });
  const mode = wait ? [] : ["--nonblock"];
  const holder = spawn("flock", [...mode, "--no-fork", file, "cat"], { stdio: ["pipe", "pipe", "ignore"] });
  const taken = new Promise<boolean>((resolve) => {
    holder.stdout.once("data", () => resolve(true));
    holder.once("error", () => resolve(false));
    holder.once("exit", () => resolve(false));
  });
  holder.stdin.on("error", () => undefined);
  holder.stdin.write("locked\n");
  if (!(await taken)) return undefined;
  holder.stdout.destroy();
  holder.unref();
  await writeFile(file, `${process.pid}\n`);
  return () => void holder.kill();
}

/** Runs `work` with the lock; waits for it when `wait` is set. Errors: E_BUSY with the holder's process id. */
export async function withLock<T>(file: string, work: () => Promise<T>, wait = false): Promise<T> {
  const release = await lock(file, wait);
  if (release === undefined) {
    const holder = (await readFile(file, "utf8").catch(() => "")).trim() || "unknown";
    throw new LabError("E_BUSY", `another run holds the lock ${file} (process ${holder})`, {
      hint: "Wait until it has ended, then run this again.",
    });
  }
  try {
    return await work();
  } finally {
    release();
  }
}
