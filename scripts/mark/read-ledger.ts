import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { describeError, systemCode } from "../cli/errors.ts";
import { type Digest, parseDigest } from "../registry/digest.ts";
import { createBlobTable, sizeOfBlob } from "../store-check/blob-table.ts";
import { type Ages, type LinkAges, linkKey } from "./ages.ts";
import {
  foreignReason,
  type LedgerHead,
  type Moment,
  parseLedgerLine,
  setForthOf,
  sinceOf,
} from "./ledger.ts";

/** What of earlier marks can be used. */
export type LedgerState =
  | {
      readonly state: "read";
      readonly ages: Ages;
      readonly lastMarkAt: number;
      /** See {@link setForthOf}. */
      readonly setForthMs: number;
    }
  /** None of it: half a sentence. */
  | { readonly state: "unusable"; readonly why: string };

const canonical = "sha256:";

/**
 * The ledger in a file, for a mark that begins at `now`. One that is torn, altered, foreign or unparsable in any line is
 * of no use as a whole: then all that is unreached is so since this mark.
 *
 * Memory: 46 bytes a blob; of links, the text.
 */
export async function readLedger(
  path: string,
  own: Pick<LedgerHead, "registry" | "store" | "shard">,
  now: Moment,
): Promise<LedgerState> {
  const links = new Map<string, string>();
  const blobs = createBlobTable();
  const others = new Map<string, number>();
  const hash = createHash("sha256");
  let head: LedgerHead | undefined;
  let entries = 0;
  let end: { readonly entries: number; readonly sha256: string } | undefined;
  try {
    for await (const text of linesOf(path)) {
      const line = end ? undefined : parseLedgerLine(text);
      if (!line || (line.line === "head") !== (head === undefined)) return unusable("is torn or altered");
      if (line.line === "end") {
        end = line;
        continue;
      }
      hash.update(`${text}\n`);
      if (line.line === "head") head = line.head;
      else if (line.line === "repository") {
        const { repository, revisions, layers } = line.repository;
        entries += Object.keys(revisions).length + Object.keys(layers).length;
        links.set(repository, text);
      } else
        for (const [digest, since] of Object.entries(line.blobs)) {
          entries += 1;
          if (digest.startsWith(canonical) && parseDigest(digest))
            blobs.add(digest, canonical.length, Math.max(0, Math.floor(since)));
          else others.set(digest, since);
        }
    }
  } catch (error) {
    return unusable(
      systemCode(error) === "ENOENT"
        ? "is not there: this is the first mark"
        : `cannot be read: ${describeError(error)}`,
    );
  }
  if (!head || !end || end.entries !== entries || end.sha256 !== hash.digest("hex"))
    return unusable("is torn or altered");
  const foreign = foreignReason(head, own);
  if (foreign !== undefined) return unusable(foreign);
  const last = head;
  const toSince = (recorded: number) => sinceOf(recorded, last, now);
  const table = blobs.build();
  const blobAge = (digest: Digest) => {
    const recorded = digest.startsWith(canonical)
      ? sizeOfBlob(table, digest, canonical.length)
      : others.get(digest);
    return recorded === undefined ? undefined : toSince(recorded);
  };
  const linkAges = (repository: string) => parseLinks(links.get(repository), toSince);
  return {
    state: "read",
    ages: { links: linkAges, blob: blobAge },
    lastMarkAt: last.markedAt,
    setForthMs: setForthOf(last, now),
  };
}

function unusable(why: string): LedgerState {
  return { state: "unusable", why };
}

/** A last line without its end was cut off, and fails the checksum. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of createReadStream(path, { encoding: "utf8", highWaterMark: 1 << 20 })) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** Kept as text until the repository is marked. */
function parseLinks(text: string | undefined, toSince: (recorded: number) => number): LinkAges | undefined {
  const line = text === undefined ? undefined : parseLedgerLine(text);
  if (line?.line !== "repository") return undefined;
  const { revisions, layers } = line.repository;
  const ages = new Map<string, number>();
  for (const [digest, since] of Object.entries(revisions))
    ages.set(linkKey("revision-link", digest), toSince(since));
  for (const [digest, since] of Object.entries(layers))
    ages.set(linkKey("layer-link", digest), toSince(since));
  return ages;
}
