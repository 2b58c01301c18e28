import { createHash } from "node:crypto";
import { link, open } from "node:fs/promises";
import { describeError, systemCode } from "../cli/errors.ts";
import { splitDigest } from "../registry/digest.ts";
import type { DiskSource } from "../source/disk/registry.ts";
import { isFileOf } from "../source/disk/verified-blob.ts";
import { damaged, type Fault, unreadable } from "./fault.ts";
import type { Part } from "./image-parts.ts";

/** What became of a part; `isLinked`: it is the same file as in the former copy. */
export type Copied = { readonly sizeBytes: number; readonly isLinked: boolean } | Fault;

/** A fault of the store, not of the directory of the copies. */
class ReadFault extends Error {}

/**
 * Brings one part into a new copy: by a link where the former copy has it with the right bytes, else from the store. What
 * the store lacks is damage in either case.
 *
 * Errors: those of the file system of the copies.
 */
export async function copyPart(
  source: DiskSource,
  part: Part,
  { former, file }: { readonly former: string | undefined; readonly file: string },
): Promise<Copied> {
  const { digest, storedAs, role } = part;
  const found = await source.blob("", storedAs);
  if (found.state === "missing") return damaged(`${role} ${digest} is missing`);
  if (found.state !== "present") return unreadable(`cannot read ${found.location}: ${found.reason}`);
  if (former !== undefined && (await isSound(former, part))) {
    await link(former, file);
    return { sizeBytes: found.sizeBytes, isLinked: true };
  }
  try {
    return await copyFromStore(source, part, file);
  } catch (error) {
    if (!(error instanceof ReadFault)) throw error;
    return systemCode(error.cause) === "ENOENT"
      ? damaged(`${role} ${digest} is missing`)
      : unreadable(`cannot read ${role} ${digest}: ${describeError(error.cause)}`);
  }
}

// One that cannot be read is written anew.
async function isSound(path: string, { digest }: Part): Promise<boolean> {
  return isFileOf(path, digest).catch(() => false);
}

async function copyFromStore(source: DiskSource, part: Part, path: string): Promise<Copied> {
  const { algorithm, hex } = splitDigest(part.digest);
  const hash = createHash(algorithm);
  let sizeBytes = 0;
  const file = await open(path, "wx", 0o644);
  try {
    for await (const piece of read(source, part)) {
      hash.update(piece);
      sizeBytes += piece.length;
      await file.writeFile(piece);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  if (hash.digest("hex") === hex) return { sizeBytes, isLinked: false };
  return damaged(`${part.role} ${part.digest} has other bytes than its digest stands for`);
}

async function* read(source: DiskSource, { storedAs }: Part): AsyncGenerator<Uint8Array> {
  try {
    yield* source.content("", storedAs, "blob");
  } catch (cause) {
    throw new ReadFault("the store cannot be read", { cause });
  }
}
