import { lstat, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemCode } from "../cli/errors.ts";
import type { Effects } from "./effects.ts";

/**
 * Removes a directory with everything in it for good; what was removed meanwhile is no fault. Returns the bytes of its
 * files.
 *
 * Errors: those of the file system; what was removed until then is gone, and the same call again goes on.
 */
export async function removeTree(path: string, effects: Effects): Promise<number> {
  const bytes = await removeBelow(path, effects);
  await effects.syncDirectory(dirname(path));
  return bytes;
}

async function removeBelow(path: string, effects: Effects): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) bytes += await removeBelow(inner, effects);
    else {
      const { size, nlink } = await lstat(inner);
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
