/**
 * Sizes of blobs by SHA-256, in memory that threads share: 46 bytes a blob, for millions of them.
 *
 * Shape: entries of ten words, eight of the digest and two of the size, in the order in which they came, in chunks, so
 * that growing copies nothing. An index with open addressing leads to them: entry number + 1, or 0 where it is free.
 */
export interface BlobTable {
  readonly chunks: readonly Uint32Array<SharedArrayBuffer>[];
  readonly index: Uint32Array<SharedArrayBuffer>;
  readonly count: number;
}

const wordsOfKey = 8;
const wordsOfEntry = wordsOfKey + 2;
const digitsOfWord = 8;
/** 2.5 MiB. */
const bitsOfChunk = 16;
const entriesOfChunk = 2 ** bitsOfChunk;
const loadFactor = 0.75;
const wordRange = 2 ** 32;
/**
 * The word of a digest that says where in the index to begin. Not the first: threads divide the blobs by their first
 * digits, so in the table of one of them these are not evenly spread.
 */
const hashWord = 1;

/** Takes entries, one after the other, until the table is built. */
export interface BlobTableBuilder {
  /** The 64 hexadecimal digits that stand at `start`, not added before, and a size in bytes. */
  readonly add: (text: string, start: number, sizeBytes: number) => void;
  readonly build: () => BlobTable;
}

export function createBlobTable(): BlobTableBuilder {
  const chunks: Uint32Array<SharedArrayBuffer>[] = [];
  let chunk = new Uint32Array(new SharedArrayBuffer(0));
  let offset = 0;
  let count = 0;
  return {
    add: (text, start, sizeBytes) => {
      if (count++ % entriesOfChunk === 0) {
        chunk = sharedWords(entriesOfChunk * wordsOfEntry);
        chunks.push(chunk);
        offset = 0;
      }
      for (let word = 0; word < wordsOfKey; word++)
        chunk[offset + word] = wordAt(text, start + word * digitsOfWord);
      chunk[offset + wordsOfKey] = sizeBytes % wordRange;
      chunk[offset + wordsOfKey + 1] = Math.floor(sizeBytes / wordRange);
      offset += wordsOfEntry;
    },
    build: () => ({ chunks, index: buildIndex(chunks, count), count }),
  };
}

function buildIndex(chunks: BlobTable["chunks"], count: number): BlobTable["index"] {
  const index = sharedWords(Math.ceil(count / loadFactor) + 1);
  for (let entry = 0; entry < count; entry++) {
    const { words, offset } = locate(chunks, entry);
    let slot = firstSlot(index, words[offset + hashWord] ?? 0);
    while (index[slot] !== 0) slot = nextSlot(index, slot);
    index[slot] = entry + 1;
  }
  return index;
}

/** Bytes; undefined for a digest, 64 hexadecimal digits at `start`, that is not in the table. */
export function sizeOfBlob(table: BlobTable, text: string, start: number): number | undefined {
  const entry = findBlob(table, text, start);
  return entry === undefined ? undefined : sizeOfEntry(table, entry);
}

/** The number of a blob's entry, from 0 to the count of the table; undefined when it is not in the table. */
export function findBlob({ chunks, index }: BlobTable, text: string, start: number): number | undefined {
  let slot = firstSlot(index, wordAt(text, start + hashWord * digitsOfWord));
  for (let number = index[slot]; number; number = index[slot]) {
    // As `locate` does, for which V8 would make an object at each step.
    const words = chunks[(number - 1) >>> bitsOfChunk];
    if (words && hasKey(words, ((number - 1) & (entriesOfChunk - 1)) * wordsOfEntry, text, start))
      return number - 1;
    slot = nextSlot(index, slot);
  }
  return undefined;
}

export function sizeOfEntry({ chunks }: BlobTable, entry: number): number {
  const { words, offset } = locate(chunks, entry);
  return (words[offset + wordsOfKey] ?? 0) + (words[offset + wordsOfKey + 1] ?? 0) * wordRange;
}

/** The 64 hexadecimal digits of an entry's digest. */
export function hexOfEntry({ chunks }: BlobTable, entry: number): string {
  const { words, offset } = locate(chunks, entry);
  for (let word = 0; word < wordsOfKey; word++)
    keyBytes.writeUInt32BE(words[offset + word] ?? 0, word * Uint32Array.BYTES_PER_ELEMENT);
  return keyBytes.toString("hex");
}

const keyBytes = Buffer.alloc(wordsOfKey * Uint32Array.BYTES_PER_ELEMENT);

/** Bytes of all blobs. */
export function totalSize(table: BlobTable): number {
  let total = 0;
  for (let entry = 0; entry < table.count; entry++) total += sizeOfEntry(table, entry);
  return total;
}

function sharedWords(count: number): Uint32Array<SharedArrayBuffer> {
  return new Uint32Array(new SharedArrayBuffer(count * Uint32Array.BYTES_PER_ELEMENT));
}

function locate(chunks: BlobTable["chunks"], entry: number) {
  const words = chunks[Math.floor(entry / entriesOfChunk)] ?? new Uint32Array();
  return { words, offset: (entry % entriesOfChunk) * wordsOfEntry };
}

/** Spreads the range of a word over the index, whatever its length. */
function firstSlot(index: Uint32Array, word: number): number {
  return Math.floor((word / wordRange) * index.length);
}

function nextSlot(index: Uint32Array, slot: number): number {
  return slot + 1 === index.length ? 0 : slot + 1;
}

function hasKey(words: Uint32Array, offset: number, text: string, start: number): boolean {
  for (let word = 0; word < wordsOfKey; word++)
    if (words[offset + word] !== wordAt(text, start + word * digitsOfWord)) return false;
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
