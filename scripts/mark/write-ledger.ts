import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Effects } from "../store-change/effects.ts";
import { exists, type Ownership } from "../store-change/paths.ts";
import type { LedgerHead } from "./ledger.ts";
import type { Thing } from "./thing.ts";

/** Blobs of one line: lines are read as a whole. */
const blobsOfLine = 1000;

/** The lines of a ledger that holds these things, each with its end. */
export function* ledgerLines(head: LedgerHead, things: readonly Thing[]): Generator<string> {
  const hash = createHash("sha256");
  for (const text of documents(head, things)) {
    const line = `${text}\n`;
    hash.update(line);
    yield line;
  }
  yield `${JSON.stringify({ entries: things.length, sha256: hash.digest("hex") })}\n`;
}

/** As JSON, put together by hand: an object with a thousand digests for keys takes many times as long. */
function* documents(head: LedgerHead, things: readonly Thing[]): Generator<string> {
  yield JSON.stringify(head);
  type Links = { readonly revisions: string[]; readonly layers: string[] };
  const repositories = new Map<string, Links>();
  for (const thing of things) {
    if (thing.kind === "blob") continue;
    const links = repositories.get(thing.repository) ?? { revisions: [], layers: [] };
    repositories.set(thing.repository, links);
    (thing.kind === "revision-link" ? links.revisions : links.layers).push(entryOf(thing));
  }
  for (const repository of [...repositories.keys()].sort()) {
    const { revisions = [], layers = [] } = repositories.get(repository) ?? {};
    yield `{"repository":${JSON.stringify(repository)},"revisions":{${revisions.join()}},"layers":{${layers.join()}}}`;
  }
  const blobs = things.filter(({ kind }) => kind === "blob");
  for (let at = 0; at < blobs.length; at += blobsOfLine)
    yield `{"blobs":{${blobs
      .slice(at, at + blobsOfLine)
      .map(entryOf)
      .join()}}}`;
}

/** A digest has no character that JSON writes otherwise. */
function entryOf({ digest, unreachedSince }: Thing): string {
  return `"${digest}":${Math.floor(unreachedSince)}`;
}

/** Bytes that are written at a time. */
const pieceLength = 1 << 20;

/**
 * Puts a ledger in the place of the one before: readers, and a next run after a kill at any moment, find the old one or
 * the new one.
 *
 * Errors: those of the file system; the old ledger is there then.
 */
export async function writeLedger(
  path: string,
  head: LedgerHead,
  things: readonly Thing[],
  effects: Effects,
): Promise<void> {
  const directory = dirname(path);
  const like = await makeDirectories(directory, effects);
  const staged = `${path}.new`;
  // A run that was killed left it.
  if (await exists(staged)) await effects.removeFile(staged);
  const sink = await effects.createFile(staged, { ...like, mode: 0o644 });
  try {
    let piece = "";
    for (const line of ledgerLines(head, things)) {
      piece += line;
      if (piece.length < pieceLength) continue;
      await sink.write(Buffer.from(piece));
      piece = "";
    }
    await sink.write(Buffer.from(piece));
    await sink.finish();
  } catch (error) {
    await sink.abandon().catch(() => {});
    await effects.removeFile(staged).catch(() => {});
    throw error;
  }
  await effects.replace(staged, path);
  await effects.syncDirectory(directory);
}

async function makeDirectories(path: string, effects: Effects): Promise<Ownership> {
  if (await exists(path)) return stat(path);
  const above = await makeDirectories(dirname(path), effects);
  const like = { uid: above.uid, gid: above.gid, mode: 0o755 };
  await effects.makeDirectory(path, like);
  await effects.syncDirectory(dirname(path));
  return like;
}
