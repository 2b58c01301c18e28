import { createHash, hash } from "node:crypto";

/** Digest algorithms that registries use, with the length of their text in hexadecimal digits. */
const hexLengths = { sha256: 64, sha384: 96, sha512: 128 } as const;

type Algorithm = keyof typeof hexLengths;

/** A content address, `ALGORITHM:HEX`, only ever made by this file. */
export type Digest = `${Algorithm}:${string}`;

const pattern = new RegExp(
  `^(?:${Object.entries(hexLengths)
    .map(([algorithm, length]) => `${algorithm}:[0-9a-f]{${length}}`)
    .join("|")})$`,
);

/**
 * The digest a text spells, or undefined.
 *
 * Strict, because the registry is: an upper-case digit or a line end makes a link useless to it.
 * Source: OCI image spec, descriptor.md (digests); go-digest, Parse.
 */
export function parseDigest(text: string): Digest | undefined {
  // Nearly all are of this form, and a store has millions: a loop takes a third of the pattern's time.
  const is = text.length === canonicalLength && text.startsWith("sha256:") ? isHex(text) : pattern.test(text);
  return is ? (text as Digest) : undefined;
}

const canonicalLength = "sha256:".length + hexLengths.sha256;

function isHex(text: string): boolean {
  for (let position = "sha256:".length; position < canonicalLength; position++) {
    const code = text.charCodeAt(position);
    if (code < 48 || code > 102 || (code > 57 && code < 97)) return false;
  }
  return true;
}

/** The two halves of a digest. */
export function splitDigest(digest: Digest): { readonly algorithm: string; readonly hex: string } {
  const colon = digest.indexOf(":");
  return { algorithm: digest.slice(0, colon), hex: digest.slice(colon + 1) };
}

/** The canonical digest of some bytes. */
export function digestOf(content: Uint8Array): Digest {
  return `sha256:${hash("sha256", content)}`;
}

/** Whether some bytes are those that a digest stands for. */
export function isDigestOf(digest: Digest, content: Uint8Array): boolean {
  const { algorithm, hex } = splitDigest(digest);
  return hash(algorithm, content) === hex;
}

/** Digests of nothing: the only blobs that are rightly empty. */
const digestsOfNothing: ReadonlySet<string> = new Set(
  Object.keys(hexLengths).map((algorithm) => `${algorithm}:${createHash(algorithm).digest("hex")}`),
);

/** Whether a blob of zero bytes is what the digest promises. */
export function isDigestOfNothing(digest: Digest): boolean {
  return digestsOfNothing.has(digest);
}

/** Enough of a digest for a person to find it again. */
export function shortDigest(digest: string): string {
  return digest.slice(0, digest.indexOf(":") + 13);
}
