import { nextMark } from "../graph/messages.ts";
import { shortDigest } from "../registry/digest.ts";

/** What a verification says to who has just pushed: what is wrong, and after the mark what to do. */

export function absentMessage(reference: string): string {
  return (
    `${reference} is not in the registry, which answers 404: nobody can pull it.${nextMark}see in the log of the push ` +
    "that it ended well and went to this very name; else push again, or give a slow registry more time by --wait."
  );
}

export function movedMessage(reference: string, digest: string): string {
  return (
    `${reference}: the tag leads to ${digest} instead. Somebody else has pushed it, or the push did not end.${nextMark}` +
    "see which pipelines push this tag, and push again."
  );
}

export function nothingMessage(reference: string): string {
  return (
    `${reference} is an index that names no image, so nobody can run it.${nextMark}see with docker buildx imagetools ` +
    `inspect --raw ${reference} what was pushed, build it for at least one platform, and push again.`
  );
}

export function platformMessage(reference: string, platform: string, offered: readonly string[]): string {
  const others = offered.length === 0 ? "no platform by name" : [...new Set(offered)].sort().join(", ");
  return (
    `${reference} is not there for ${platform}; it offers ${others}.${nextMark}build for it as well: docker buildx ` +
    `build --platform ${[...new Set([...offered, platform])].sort().join(",")} --push .`
  );
}

export function mismatchMessage(reference: string, digest: string, promised: string, actual: string): string {
  return (
    `${reference}: the index says that ${shortDigest(digest)} is for ${promised}, and the image itself says ${actual}: ` +
    `on ${promised} it ends with "exec format error".${nextMark}see which build or which tool wrote the index, and push again.`
  );
}

export function alteredMessage(role: string, digest: string, owner: string): string {
  return (
    `The registry serves other bytes than its digest stands for as ${role} ${digest} of ${shortDigest(owner)}: every ` +
    `pull of it fails.${nextMark}check the registry's disk (regwarden scan DIR --verify-digests), remove the bad blob, push again.`
  );
}

export function referrerMessage(what: string): string {
  return `Of a signature or another thing about the image: ${what}`;
}

/** The tag that a digest stood in for is no tag to type. */
export function withName(
  message: string,
  registry: string,
  repository: string,
  digest: string | null,
): string {
  if (digest === null) return message;
  return message
    .replaceAll(`${registry}/${repository}:${digest}`, `${registry}/${repository}:TAG`)
    .replaceAll(`Tag ${digest}`, `The image ${digest}`);
}
