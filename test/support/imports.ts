import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

export const root = join(import.meta.dirname, "../..");

export interface Import {
  /** Path from the root. */
  readonly file: string;
  /** One of ours as a path from the root, any other by its name. */
  readonly module: string;
  /** `import type`: nothing of it is left when the file runs. */
  readonly isType: boolean;
}

const statement =
  /^\s*(?:import|export)\s+(type\s)?[^;"]*?from\s+"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)|^import\s+"([^"]+)"/gm;

/** All imports and re-exports of the files that a pattern names. */
export function importsOf(pattern: string): readonly Import[] {
  return globSync(pattern, { cwd: root }).flatMap((file) => {
    const text = readFileSync(join(root, file), "utf8");
    return [...text.matchAll(statement)].map(([, type, from, dynamic, bare]) => {
      const target = from ?? dynamic ?? bare ?? "";
      const module = target.startsWith(".") ? relative(root, join(root, dirname(file), target)) : target;
      return { file, module, isType: type !== undefined };
    });
  });
}

/** Whether a module is a file of this project, not of a package and not JSON. */
function isOwn(module: string): boolean {
  return module.endsWith(".ts");
}

/** A check that takes files and folders of ours, and any package. */
export function within(...paths: readonly string[]): (module: string) => boolean {
  return (module) => !isOwn(module) || paths.some((path) => module === path || module.startsWith(`${path}/`));
}

/** Everything that the files of a pattern load when they run, at any depth. */
export function reachedFrom(pattern: string): ReadonlySet<string> {
  const reached = new Set<string>();
  const pending = [...globSync(pattern, { cwd: root })];
  for (let file = pending.pop(); file !== undefined; file = pending.pop())
    for (const { module, isType } of importsOf(file)) {
      if (isType || reached.has(module)) continue;
      reached.add(module);
      if (isOwn(module)) pending.push(module);
    }
  return reached;
}
