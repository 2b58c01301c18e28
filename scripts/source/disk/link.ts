import { join } from "node:path";
import { parseDigest, splitDigest } from "../../registry/digest.ts";
import type { LinkFact, LinkState, ListOptions } from "../source.ts";
import { isUnreadable, listNames, readShort } from "./files.ts";

/** The link at `path`; undefined when there is none. */
export function readLink(path: string, options: ListOptions = {}): LinkState | undefined {
  const { text, time } = readText(path, options);
  if (text === undefined || typeof text !== "string") return text;
  const digest = parseDigest(text);
  if (digest) return { state: "linked", digest, ...time };
  return {
    state: "invalid",
    location: path,
    reason: text === "" ? "is empty" : "does not hold exactly a digest",
  };
}

/** The content of a link, and the time of its last write where that is wanted. */
function readText(path: string, { withTimes = false }: ListOptions) {
  if (!withTimes) return { text: readShort(path), time: undefined };
  const time: { modifiedAt?: number } = {};
  const text = readShort(path, (modifiedAt) => {
    time.modifiedAt = modifiedAt;
  });
  return { text, time };
}

/** All links below a directory of the form `ALGORITHM/HEX/link`. */
export function readDigestLinks(base: string, options: ListOptions = {}): readonly LinkFact[] {
  const algorithms = listNames(base);
  if (isUnreadable(algorithms)) return [{ name: null, link: algorithms }];
  const facts: LinkFact[] = [];
  for (const algorithm of algorithms) {
    const directory = join(base, algorithm);
    const names = listNames(directory);
    if (!isUnreadable(names))
      for (const hex of names) {
        const fact = readDigestLink(directory, algorithm, hex, options);
        if (fact) facts.push(fact);
      }
    // A stray file beside the algorithms is nothing that the registry would read.
    else if (names.reason !== "ENOTDIR") facts.push({ name: null, link: names });
  }
  return facts;
}

function readDigestLink(
  directory: string,
  algorithm: string,
  hex: string,
  options: ListOptions,
): LinkFact | undefined {
  const location = `${directory}/${hex}/link`;
  const { text, time } = readText(location, options);
  if (text === undefined) return undefined;
  const name = `${algorithm}:${hex}`;
  if (typeof text !== "string") return { name, link: text };
  const digest = parseDigest(name);
  // Nearly all links say what their directory is called; one string for both is a third of the memory.
  if (digest && text === name) return { name: digest, link: { state: "linked", digest, ...time } };
  const invalid = (reason: string): LinkFact => ({ name, link: { state: "invalid", location, reason } });
  if (!digest) return invalid("lies under a name that is no digest");
  const target = parseDigest(text);
  if (!target) return invalid(text === "" ? "is empty" : "does not hold exactly a digest");
  // A push by another algorithm leaves an alias of the canonical digest, and no other link leads to another name.
  // Source: distribution v2.8.3, registry/storage/linkedblobstore.go, linkBlob.
  const isAlias = splitDigest(target).algorithm === "sha256" && algorithm !== "sha256";
  if (!isAlias) return invalid(`leads to another digest, ${target}`);
  return { name, link: { state: "linked", digest: target, ...time } };
}
