import type { Stats } from "node:fs";
import { lstat } from "node:fs/promises";
import { systemCode } from "../cli/errors.ts";

/** What lies at a path, itself and not what it may lead to; undefined when nothing does. Errors: any other fault. */
export async function lookAt(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

export async function exists(path: string): Promise<boolean> {
  return (await lookAt(path)) !== undefined;
}
