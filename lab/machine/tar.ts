/** One entry of an archive: a file with content, a directory, or a symbolic link. */
export interface TarEntry {
  /** Path without a leading slash. */
  readonly path: string;
  readonly content?: string | Uint8Array;
  /** Target of a symbolic link. */
  readonly link?: string;
  /** @default 0644 for files, 0755 for directories */
  readonly mode?: number;
  /** User and group. @default 0 */
  readonly owner?: number;
}

const blockBytes = 512;

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, "0")}\0`;
}

function header(entry: TarEntry, sizeBytes: number): Buffer {
  const kind = entry.link !== undefined ? "2" : entry.content === undefined ? "5" : "0";
  const mode = entry.mode ?? (kind === "5" ? 0o755 : 0o644);
  const block = Buffer.alloc(blockBytes);
  block.write(entry.path, 0, 100);
  block.write(octal(mode, 8) + octal(entry.owner ?? 0, 8) + octal(entry.owner ?? 0, 8), 100);
  block.write(octal(sizeBytes, 12) + octal(0, 12), 124);
  block.write(" ".repeat(8), 148);
  block.write(kind, 156);
  block.write(entry.link ?? "", 157, 100);
  block.write("ustar\x0000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 7)} `, 148);
  return block;
}

/**
 * A tar archive, the same bytes for the same entries.
 *
 * Shape:  paths and link targets of at most 100 bytes each.
 * Source: POSIX.1-2017, pax, ustar interchange format.
 */
export function tar(entries: readonly TarEntry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    if (Buffer.byteLength(entry.path) > 100) throw new RangeError(`path too long for ustar: ${entry.path}`);
    const content = Buffer.from(entry.content ?? "");
    const padding = Buffer.alloc((blockBytes - (content.length % blockBytes)) % blockBytes);
    return [header(entry, content.length), content, padding];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * blockBytes)]);
}
