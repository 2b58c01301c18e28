import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Digest } from "../../../../scripts/registry/digest.ts";
import type { Store } from "../store.ts";

/**
 * Every kind of damage to a store, with what the registry 2.8.3 itself answers and what scan and probe say. A row is one
 * damage to a fresh copy of the same store; a new program that checks adds a column.
 */

export interface Damage {
  readonly name: string;
  readonly damage: (store: Store) => Promise<unknown>;
  /** What a client would ask for, below `/v2/`. */
  readonly question: string;
  /** Status and, of 200, length. */
  readonly answer: string;
  /** Findings, one a line: repository, kind/cause, severity, tags, platform, remedy. */
  readonly scan: readonly string[];
  /** None where HTTP shows nothing. */
  readonly probe: readonly string[];
}

export const remove = (path: string) => rm(path, { recursive: true });
export const removeDirectory = (path: string) => remove(dirname(path));
export const manifest = (repository: string, reference: string) => `${repository}/manifests/${reference}`;
export const blob = (repository: string, of: Digest) => `${repository}/blobs/${of}`;

/** A directory where a file should be. */
export async function makeDirectory(path: string): Promise<void> {
  await remove(path);
  await mkdir(path);
}

/** Same length, other bytes. */
export async function flipByte(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  await writeFile(path, bytes);
}
