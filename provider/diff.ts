import { isDeepStrictEqual } from "node:util";

/** Differences by property path, in the engine's notation, as in `services["registry-quay"].state`. */
export type PropertyChanges = ReadonlyMap<string, "add" | "delete" | "update">;

/**
 * Compares two JSON values down to the properties of their objects; arrays are compared as one value, and so are the
 * properties at the paths in `opaque`.
 */
export function compareProperties(
  old: unknown,
  next: unknown,
  opaque: readonly string[] = [],
  path = "",
): PropertyChanges {
  const changes = new Map<string, "add" | "delete" | "update">();
  if (isRecord(old) && isRecord(next) && !opaque.includes(path)) {
    for (const key of new Set([...Object.keys(old), ...Object.keys(next)])) {
      for (const [at, change] of compareProperties(old[key], next[key], opaque, join(path, key)))
        changes.set(at, change);
    }
  } else if (!isDeepStrictEqual(old, next)) {
    changes.set(path, old === undefined ? "add" : next === undefined ? "delete" : "update");
  }
  return changes;
}

function join(path: string, key: string): string {
  if (!/^[A-Za-z_]\w*$/.test(key)) return `${path}["${key.replaceAll('"', '\\"')}"]`;
  return path === "" ? key : `${path}.${key}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
