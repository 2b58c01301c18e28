import { lstatSync, readdirSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { systemCode } from "../cli/errors.ts";
import type { Effects } from "./effects.ts";
import { directoryOf } from "./paths.ts";

/**
 * Removes a directory with everything in it for good; what was removed meanwhile is no fault. Returns the bytes of its
 * files.
 *
 * Errors: those of the file system; what was removed until then is gone, and the same call again goes on.
 */
export async function removeTree(path: string, effects: Effects): Promise<number> {
  const bytes = await removeBelow(path, effects);
  await effects.syncDirectory(directoryOf(path));
  return bytes;
}

/** Directories between two turns of the event loop, in which a signal is heard. */
const directoriesAtATime = 256;

/** Reads with blocking calls: a purge removes many thousands of directories of one file. */
async function removeBelow(path: string, effects: Effects): Promise<number> {
  let bytes = 0;
  let directories = 0;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inner = `${path}/${entry.name}`;
    if (entry.isDirectory()) {
      bytes += await removeBelow(inner, effects);
      if (++directories % directoriesAtATime === 0) await turn();
    } else {
      const { size, nlink } = lstatSync(inner);
      await effects.removeFile(inner).catch(ignoreMissing);
      // A second name elsewhere keeps the content.
      if (nlink === 1) bytes += size;
    }
  }
  await effects.removeDirectory(path).catch(ignoreMissing);
  return bytes;
}

function ignoreMissing(error: unknown): void {
  if (systemCode(error) !== "ENOENT") throw error;
}
