import { join } from "node:path";
import { parseDigest, splitDigest } from "../../registry/digest.ts";
import { digestFromNames } from "../../registry/paths.ts";
import { mapBounded } from "../bounded.ts";
import type { LinkFact, LinkState, Unreadable } from "../source.ts";
import { filesAtATime, isUnreadable, listDirectory, mayBeDirectory, readWhole } from "./files.ts";

/** A digest has at most 135 characters; whatever is much longer is no link. */
const linkLimitBytes = 1024;

/** What the link at `path` says; undefined when there is none. */
export async function readLink(path: string): Promise<LinkState | undefined> {
  const file = await readWhole(path, linkLimitBytes);
  if (file.state === "missing") return undefined;
  if (file.state === "unreadable") return file;
  const digest = parseDigest(file.content.toString("latin1"));
  if (digest) return { state: "linked", digest };
  const reason = file.content.length === 0 ? "is empty" : "does not hold exactly a digest";
  return { state: "invalid", place: path, reason };
}

/** All links below a directory of the form `ALGORITHM/HEX/link`. */
export async function* readDigestLinks(base: string): AsyncGenerator<LinkFact> {
  const found = mapBounded(listNames(base), filesAtATime, async (listed) =>
    "state" in listed ? { name: null, link: listed } : readDigestLink(base, listed),
  );
  for await (const fact of found) if (fact) yield fact;
}

interface Names {
  readonly algorithm: string;
  readonly hex: string;
}

async function* listNames(base: string): AsyncGenerator<Names | Unreadable> {
  for await (const algorithm of listDirectory(base)) {
    if (isUnreadable(algorithm)) yield algorithm;
    else if (mayBeDirectory(algorithm)) yield* listHex(base, algorithm.name);
  }
}

async function* listHex(base: string, algorithm: string): AsyncGenerator<Names | Unreadable> {
  for await (const entry of listDirectory(join(base, algorithm))) {
    if (isUnreadable(entry)) yield entry;
    else if (mayBeDirectory(entry)) yield { algorithm, hex: entry.name };
  }
}

async function readDigestLink(base: string, { algorithm, hex }: Names): Promise<LinkFact | undefined> {
  const place = join(base, algorithm, hex, "link");
  const link = await readLink(place);
  if (!link) return undefined;
  const digest = digestFromNames(algorithm, hex);
  const name = digest ?? `${algorithm}:${hex}`;
  if (!digest)
    return { name, link: { state: "invalid", place, reason: "lies under a name that is no digest" } };
  // A link may lead to the same content under another algorithm, never to other content under the same one.
  if (link.state === "linked" && link.digest !== digest && splitDigest(link.digest).algorithm === algorithm)
    return { name, link: { state: "invalid", place, reason: `leads to another digest, ${link.digest}` } };
  return { name, link };
}
