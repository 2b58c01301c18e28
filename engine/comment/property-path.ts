import { isObject, isSecret } from "./plain-value.ts";

/** A name, `[0]`, or `["a quoted name"]`. Source: pulumi sdk/go/common/resource/properties_path.go. */
const part = /\.?(?:\[(\d+)\]|\["((?:\\"|[^"])*)"\]|([^.[]+))/y;

/** The parts of a property path such as `spec.env[0]["a.b"]`; undefined when it is none. */
export function parsePropertyPath(path: string): (string | number)[] | undefined {
  const parts: (string | number)[] = [];
  part.lastIndex = 0;
  while (part.lastIndex < path.length) {
    const found = part.exec(path);
    if (found === null) return undefined;
    const [, index, quoted, name = ""] = found;
    parts.push(index === undefined ? (quoted?.replaceAll('\\"', '"') ?? name) : Number(index));
  }
  return parts;
}

/** The value at a path. Where the way there leads through a secret, the secret; undefined where there is none. */
export function valueAt(root: unknown, path: readonly (string | number)[]): unknown {
  let value = root;
  for (const key of path) {
    if (isSecret(value)) return value;
    if (Array.isArray(value)) value = value[Number(key)];
    else value = isObject(value) ? value[key] : undefined;
  }
  return value;
}
