import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** Writes a file so that it is there whole or not at all; parents are made. */
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

/** Fills a directory beside its place and renames it when whole, instead of whatever was there. */
export async function replaceDirectory(path: string, fill: (beside: string) => Promise<void>): Promise<void> {
  const beside = `${path}.new`;
  await rm(beside, { recursive: true, force: true });
  await mkdir(beside, { recursive: true, mode: 0o700 });
  await fill(beside);
  await rm(path, { recursive: true, force: true });
  await rename(beside, path);
}
