import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

/** Everything below a directory by its path from there: files with their content, directories as null. */
export async function treeOf(directory: string): Promise<ReadonlyMap<string, string | null>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const tree = new Map<string, string | null>();
  for (const entry of entries.toSorted((a, b) => (a.parentPath + a.name < b.parentPath + b.name ? -1 : 1))) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) tree.set(relative(directory, path), await readFile(path, "latin1"));
    else if (entry.isDirectory()) tree.set(relative(directory, path), null);
  }
  return tree;
}

/** Paths of files that one tree has otherwise than the other, or has alone. */
export function changedFiles(
  before: ReadonlyMap<string, string | null>,
  after: ReadonlyMap<string, string | null>,
): readonly string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => {
    const [old, fresh] = [before.get(path), after.get(path)];
    return old !== fresh && typeof (fresh ?? old) === "string";
  });
}
