import { lstat, readdir, utimes, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { Store } from "./store.ts";

/** Rules in a file below a directory. */
export async function writeRules(
  directory: string,
  rules: readonly object[],
  more: object = {},
): Promise<string> {
  const path = join(directory, "rules.yaml");
  await writeFile(path, JSON.stringify({ rules, ...more }));
  return path;
}

/** Sets when a tag was pushed last, milliseconds since 1970. */
export async function setPushTime(
  store: Store,
  repository: string,
  tag: string,
  time: number,
): Promise<void> {
  const seconds = time / 1000;
  await utimes(store.tagLink(repository, tag), seconds, seconds);
  const index = join(dirname(dirname(store.tagLink(repository, tag))), "index");
  for (const entry of await readdir(index, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) await utimes(join(entry.parentPath, entry.name), seconds, seconds);
}

/** Times of the last write of all below the tags' directories, by path: what an undo must bring back beside the bytes. */
export async function tagTimes(directory: string): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (/\/_manifests\/tags\/[^/]+/.test(path))
      times.set(relative(directory, path), (await lstat(path)).mtimeMs);
  }
  return times;
}
