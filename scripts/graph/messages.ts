import type { Finding } from "../../contract/scan-report.ts";
import type { Digest } from "../registry/digest.ts";
import { blobDirectory, layersPath, linkDirectory, revisionsPath } from "../registry/paths.ts";
import type { LinkState, Unreadable } from "../source/source.ts";

/**
 * What findings say: what is broken, for whom, and after {@link nextMark} what to do. Paths to type are relative to the
 * registry's data directory, which only the reader knows on the machine where it counts.
 */

/** Begins the second half of every message. */
export const nextMark = " Next: ";

export const here = "in the registry's data directory";

export function unreadableMessage({ location, reason }: Unreadable): string {
  return `${location} could not be read (${reason}), so nothing is known about it.${nextMark}${nextForUnreadable(reason)}`;
}

function nextForUnreadable(reason: string): string {
  if (reason === "EACCES" || reason === "EPERM")
    return "let the account that scans read it (directories also need the search permission), then scan again.";
  if (reason === "EIO") return "check the disk and its file system before anything else.";
  return "see what lies there (ls -l, head), put right what is no part of a store, then scan again.";
}

type InvalidLink = Extract<LinkState, { state: "invalid" | "missing" }>;

/** Of a link, what its message depends on. */
interface LinkFinding {
  readonly repository: string | null;
  readonly digest: string | null;
  readonly tags: readonly string[];
  readonly remedy: Finding["remedy"];
}

export function linkMessage(
  link: InvalidLink,
  target: "manifest" | "blob",
  { repository, digest, tags, remedy }: LinkFinding,
): string {
  const victims = tags.length > 0 ? ` ${listTags(tags)} cannot be pulled.` : "";
  const what = `The link ${link.location} ${reasonOf(link)}, so the registry cannot serve the ${target}.${victims}${nextMark}`;
  if (remedy === "relink" && digest !== null)
    return `${what}${relink(repository ?? "", target, digest as Digest)}`;
  if (tags.length > 0) return `${what}${pushAgain(repository ?? "", tags)}`;
  return `${what}remove the link's directory if no image needs it, else push the image again.`;
}

function reasonOf(link: InvalidLink): string {
  return link.state === "missing" ? "is missing" : link.reason;
}

/** A tag whose own link is missing or no digest. */
export function tagMessage(repository: string, tags: readonly string[], link: InvalidLink): string {
  return (
    `${listTags(tags)} leads nowhere and cannot be pulled: its link ${link.location} ${reasonOf(link)}.${nextMark}` +
    `${pushAgain(repository, tags)} Or, when nobody needs the tag any more: rm -r its directory.`
  );
}

export function lostSubjectMessage({
  digest,
  parent,
  tags,
}: Pick<Finding, "digest" | "parent" | "tags">): string {
  const what = parent === null ? "What lies behind it" : `The artefact ${parent}`;
  const by = tags.length > 0 ? ` (${listTags(tags)})` : "";
  return (
    `${what}${by} is a signature of, or another statement about, the manifest ${digest}, which the repository does not ` +
    `serve: nobody can use it.${nextMark}remove the tag if that image was removed on purpose, else push the image again.`
  );
}

/** How a link is put back whose data survives. Ends with the command, so that it can be copied. */
export function relink(repository: string, target: "manifest" | "blob", digest: Digest): string {
  const base = target === "manifest" ? revisionsPath("", repository) : layersPath("", repository);
  const link = linkDirectory(base, digest);
  return (
    `regwarden repair DIR --apply puts the link back; or by hand, ${here}: ` +
    `mkdir -p ${link} && printf %s ${digest} > ${link}/link`
  );
}

export function pushAgain(repository: string, tags: readonly string[]): string {
  const [tag] = tags;
  if (tag === undefined) return "nothing, unless somebody pulls it by digest; then build and push it again.";
  return `build and push again, for each tag: docker buildx build --push --tag REGISTRY/${repository}:${tag} .`;
}

/**
 * What comes before a push when the bad bytes are still there.
 *
 * Source: distribution v2.8.3, registry/storage/blobstore.go, Put, and blobwriter.go, moveBlob: neither writes over what
 * is in the store already, whatever its length.
 */
export function removeFirst(digest: Digest): string {
  return `${here}: rm -r ${blobDirectory("", digest)} ; restart the registry, as a push skips what it has; then `;
}

/** `Tag a`, or `Tags a, b`; of many tags the first few, as the finding itself holds all. */
export function listTags(tags: readonly string[]): string {
  const shown = tags.slice(0, 5).join(", ");
  const rest = tags.length > 5 ? ` and ${tags.length - 5} more` : "";
  return `${tags.length === 1 ? "Tag" : "Tags"} ${shown}${rest}`;
}

/** Whom a bad part breaks. */
export function victimsOf({
  tags,
  severity,
  platform,
}: Pick<Finding, "tags" | "severity" | "platform">): string {
  if (tags.length === 0) return "No tag leads there.";
  if (severity !== "critical")
    return `${listTags(tags)} can be pulled, but not the attestation or signature.`;
  return `${listTags(tags)} cannot be pulled${platform === null ? " whole" : ` for ${platform}`}.`;
}
