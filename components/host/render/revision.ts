import { createHash, scryptSync } from "node:crypto";

/** SHA-256 over a service's definition and what is mounted into it: changes when the container must be recreated. */
export function revision(definition: unknown, mounted: Readonly<Record<string, string>>): string {
  return sha256(JSON.stringify([definition, Object.entries(mounted).sort(([a], [b]) => (a < b ? -1 : 1))]));
}

/** One word that stands for many moments of change: another as soon as one of them is another, in whatever order. */
export function changeRevision(changes: readonly string[]): string {
  return sha256(JSON.stringify([...changes].sort())).slice(0, 16);
}

/** Fingerprint of a text that is no secret. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/**
 * Fingerprint of a text that holds a secret. The label that it goes into is readable for every account that may ask
 * Docker, so it is slow to compute: a weak password cannot be guessed from it at the speed of SHA-256. The salt is
 * the file's path, as a random one would change the label each time.
 */
export function secretFingerprint(path: string, text: string): string {
  return scryptSync(text, `regwarden:${path}`, 32, { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 26 }).toString(
    "hex",
  );
}
