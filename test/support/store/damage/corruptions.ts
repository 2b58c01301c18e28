import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import fc from "fast-check";

interface Spoiled {
  readonly path: string;
  readonly bytes: Buffer;
  /** What another file of the store holds. */
  readonly others: Buffer;
  /** A number that a way may use as it likes. */
  readonly amount: number;
}

function replaceByLink(path: string, target: string): void {
  rmSync(path);
  symlinkSync(target, path);
}

/** Ways to spoil one file of a store. */
const ways = {
  remove: ({ path }) => rmSync(path),
  "remove directory": ({ path }) => rmSync(dirname(path), { recursive: true }),
  truncate: ({ path, bytes, amount }) => truncateSync(path, amount % (bytes.length + 1)),
  empty: ({ path }) => truncateSync(path),
  "flip a bit": ({ path, bytes, amount }) => writeFileSync(path, flipped(bytes, amount)),
  "append a newline": ({ path, bytes }) => writeFileSync(path, Buffer.concat([bytes, Buffer.from("\n")])),
  // Sparse, and longer than any manifest may be; the registry itself would read a link of any length to its end.
  "append much": ({ path }) => truncateSync(path, 8 * 1024 ** 2),
  "upper case": ({ path, bytes }) => writeFileSync(path, bytes.toString("latin1").toUpperCase(), "latin1"),
  "make a directory": ({ path }) => {
    rmSync(path);
    mkdirSync(path);
  },
  "make a circle": ({ path }) => replaceByLink(path, path),
  "lead nowhere": ({ path }) => replaceByLink(path, "/nowhere/at/all"),
  "put in another's content": ({ path, others }) => writeFileSync(path, others),
  "name another algorithm": ({ path }) => writeFileSync(path, `sha512:${"0".repeat(128)}`),
  "nest deeply": ({ path, amount }) =>
    writeFileSync(path, `${'{"manifests":'.repeat(amount)}1${"}".repeat(amount)}`),
} as const satisfies Record<string, (spoiled: Spoiled) => void>;

type Way = keyof typeof ways;

export interface Corruption {
  /** Position in the list of files, taken as often round as it needs. */
  readonly file: number;
  readonly other: number;
  readonly way: Way;
  readonly amount: number;
}

/** Up to four files of a store, each spoiled in one of these ways. */
export function corruptionsBy(...some: readonly Way[]): fc.Arbitrary<readonly Corruption[]> {
  const way = fc.constantFrom(...some);
  const one = fc.record({ file: fc.nat(), other: fc.nat(), way, amount: fc.nat({ max: 5000 }) });
  return fc.array(one, { minLength: 1, maxLength: 4 });
}

export const corruptions = corruptionsBy(...(Object.keys(ways) as Way[]));

/** Spoils files of a store; what was done, a line each. */
export function corruptStore(directory: string, damage: readonly Corruption[]): readonly string[] {
  const files = filesBelow(directory);
  return damage.flatMap((one) => {
    const path = corrupt(files, one);
    return path === undefined ? [] : [`${one.way}: ${relative(directory, path)}`];
  });
}

function filesBelow(directory: string): readonly string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath, entry.name)).sort();
}

/** Spoils a file, unless it is gone already; its path, if it did. */
export function corrupt(
  files: readonly string[],
  { file, other, way, amount }: Corruption,
): string | undefined {
  const path = files[file % files.length] ?? "";
  const bytes = bytesOf(path);
  if (bytes === undefined) return undefined;
  const others = bytesOf(files[other % files.length] ?? "") ?? Buffer.alloc(0);
  ways[way]({ path, bytes, others, amount });
  return path;
}

function flipped(bytes: Buffer, amount: number): Buffer {
  const changed = Buffer.from(bytes);
  const position = amount % Math.max(bytes.length, 1);
  if (bytes.length > 0) changed[position] = (bytes[position] ?? 0) ^ (1 << (amount % 8));
  return changed;
}

/** Undefined for what is no small file any more. */
export function bytesOf(path: string): Buffer | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isFile() && found.size < 64 * 1024 ? readFileSync(path) : undefined;
}
