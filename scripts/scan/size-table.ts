/**
 * Lengths by SHA-256, for half a million blobs and more, in memory that threads share: 40 bytes an entry at twice the
 * room, where a map of strings takes three times as much in each thread.
 *
 * Shape: open addressing; the first word of a digest says where to begin, a size below zero that a place is free.
 */
export interface SizeTable {
  /** Eight words a place. */
  readonly keys: Uint32Array<SharedArrayBuffer>;
  readonly sizes: Float64Array<SharedArrayBuffer>;
}

const wordsOfKey = 8;
const digitsOfWord = 8;
const free = -1;

/** An empty table with room for this many digests. */
export function createSizeTable(count: number): SizeTable {
  const places = 2 ** Math.ceil(Math.log2(Math.max(count, 1) * 2));
  const keys = new Uint32Array(new SharedArrayBuffer(places * wordsOfKey * Uint32Array.BYTES_PER_ELEMENT));
  const sizes = new Float64Array(new SharedArrayBuffer(places * Float64Array.BYTES_PER_ELEMENT));
  return { keys, sizes: sizes.fill(free) };
}

/** Puts in the length of what the 64 hexadecimal digits at `start` stand for. */
export function putSize(table: SizeTable, hex: string, start: number, sizeBytes: number): void {
  const location = findPlace(table, hex, start);
  for (let word = 0; word < wordsOfKey; word++)
    table.keys[location * wordsOfKey + word] = wordAt(hex, start + word * digitsOfWord);
  table.sizes[location] = sizeBytes;
}

/** Bytes; undefined for a digest that is not in it. */
export function getSize(table: SizeTable, hex: string, start: number): number | undefined {
  const size = table.sizes[findPlace(table, hex, start)];
  return size === undefined || size === free ? undefined : size;
}

/** The place of a digest, or the free one where it would be. */
function findPlace({ keys, sizes }: SizeTable, hex: string, start: number): number {
  const mask = sizes.length - 1;
  let location = wordAt(hex, start) & mask;
  while (sizes[location] !== free && !isAt(keys, location * wordsOfKey, hex, start))
    location = (location + 1) & mask;
  return location;
}

function isAt(keys: Uint32Array, offset: number, hex: string, start: number): boolean {
  for (let word = 0; word < wordsOfKey; word++)
    if (keys[offset + word] !== wordAt(hex, start + word * digitsOfWord)) return false;
  return true;
}

/** The number that eight hexadecimal digits in lower case spell. */
function wordAt(hex: string, start: number): number {
  let word = 0;
  for (let digit = start; digit < start + digitsOfWord; digit++) {
    const code = hex.charCodeAt(digit);
    // The low half of a digit's code is its value, of a letter's nine less.
    word = (word << 4) | ((code & 15) + (code >> 6) * 9);
  }
  return word >>> 0;
}
