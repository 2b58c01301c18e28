import { hash } from "node:crypto";
import { lstat, readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

/**
 * Everything below a directory by its path from there: files with their content, owner, rights and time of the last write,
 * directories with owner and rights.
 */
export async function timedTree(directory: string): Promise<ReadonlyMap<string, string>> {
  const tree = new Map<string, string>();
  for (const { parentPath, name } of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(parentPath, name);
    const { mode, uid, gid, mtimeMs, isFile } = await statOf(path);
    const content = isFile ? ` ${mtimeMs} ${hash("sha256", await readFile(path))}` : "";
    tree.set(relative(directory, path), `${mode.toString(8)} ${uid}:${gid}${content}`);
  }
  return new Map([...tree].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function statOf(path: string) {
  const found = await lstat(path);
  return { mode: found.mode, uid: found.uid, gid: found.gid, mtimeMs: found.mtimeMs, isFile: found.isFile() };
}
