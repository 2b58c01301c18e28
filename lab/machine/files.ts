import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";

/** Writes a file so that all of it is there or nothing; parents are made. */
export function writeAtomically(path: string, content: string | Uint8Array, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}.new`;
  rmSync(beside, { force: true });
  writeFileSync(beside, content, { mode, flush: true });
  chmodSync(beside, mode);
  renameSync(beside, path);
}

/** Content of a small text file without the last newline, or undefined where there is none. */
export function readText(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8").trimEnd() : undefined;
}

/** A random secret, made once and kept in a file that only its owner reads. */
export function ensureSecret(path: string): string {
  const kept = readText(path);
  if (kept) return kept;
  const secret = randomBytes(24).toString("base64url");
  writeAtomically(path, `${secret}\n`, 0o600);
  return secret;
}

/** Fills a new directory and renames it to `path` when it is complete; what was there before is removed. */
export async function replaceDirectory(path: string, fill: (beside: string) => Promise<void>): Promise<void> {
  const beside = `${path}.new`;
  await rm(beside, { recursive: true, force: true });
  await mkdir(beside, { recursive: true, mode: 0o700 });
  await fill(beside);
  await rm(path, { recursive: true, force: true });
  await rename(beside, path);
}

/** SHA-256 of a file, in hexadecimal. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
