import type { RegistryMode } from "../../contract/scan-report.ts";
import { type Digest, shortDigest } from "../registry/digest.ts";
import type { ChildDescriptor } from "../registry/manifest.ts";
import { blobDirectory, layersPath, linkDirectory, revisionsPath } from "../registry/paths.ts";
import type { LinkState, Unreadable } from "../source/source.ts";

/**
 * What findings say: what is broken, for whom, and after {@link nextMark} what to do. Paths to type are relative to the
 * registry's data directory, which only the reader knows on the machine where it counts.
 */

/** Begins the second half of every message. */
export const nextMark = " Next: ";

const here = "in the registry's data directory";

export function unreadableMessage({ place, reason }: Unreadable): string {
  return `${place} could not be read (${reason}), so nothing is known about it.${nextMark}${nextForUnreadable(reason)}`;
}

function nextForUnreadable(reason: string): string {
  if (reason === "EACCES" || reason === "EPERM")
    return "let the account that scans read it (directories also need the search permission), then scan again.";
  if (reason === "EIO") return "check the disk and its file system before anything else.";
  return "see what lies there (ls -l, head), put right what is no part of a store, then scan again.";
}

export function linkMessage(
  { place, reason }: Extract<LinkState, { state: "invalid" }>,
  target: "manifest" | "blob",
  tags: readonly string[],
): string {
  const victims = tags.length > 0 ? ` ${listTags(tags)} cannot be pulled.` : "";
  const next =
    tags.length > 0
      ? "push again what the tag should hold; that writes the link anew."
      : "remove the link's directory if no image needs it, else push the image again.";
  return `The link ${place} ${reason}, so the registry cannot serve the ${target}.${victims}${nextMark}${next}`;
}

export function layerLinkMessage(
  repository: string,
  digest: Digest,
  cause: "blob-missing" | "blob-empty",
): string {
  const link = linkDirectory(layersPath("", repository), digest);
  if (cause === "blob-missing")
    return (
      `The repository links the blob ${digest}, but it is not in the store: whatever image needs it cannot be pulled.` +
      `${nextMark}push that image again, which brings the blob back; if none needs it, ${here}: rm -r ${link}`
    );
  return (
    `The blob ${digest}, which the repository links, is empty: pulls get nothing, and a push skips it as present.` +
    `${nextMark}${here}: rm -r ${blobDirectory("", digest)} ${link} ; restart the registry, push the image again.`
  );
}

export function lostManifestMessage(
  repository: string,
  digest: Digest,
  cause: "blob-missing" | "blob-empty",
  tags: readonly string[],
  mode: RegistryMode,
): string {
  const what = cause === "blob-missing" ? "is not in the store" : "is empty";
  const victims = tags.length > 0 ? `${listTags(tags)} cannot be pulled.` : "No tag needs it.";
  const next =
    mode === "cache" ? "remove the link; the cache fetches it again." : pushAgain(repository, tags);
  return `The manifest ${digest}, which the repository links, ${what}. ${victims}${nextMark}${next}`;
}

/** All that the message on a lost child depends on. */
export interface LostChild {
  readonly repository: string;
  readonly digest: Digest;
  readonly parent: Digest;
  readonly tags: readonly string[];
  readonly child: ChildDescriptor;
  readonly isForRealPlatform: boolean;
  /** Whether the child's own manifest survives. */
  readonly isOnDisk: boolean;
  /** Configuration and layers of the child, if it survives and is an image. */
  readonly partsTotal: number;
  readonly partsGone: number;
}

export function lostChildMessage(lost: LostChild): string {
  const platform = lost.child.platform ?? "no platform named";
  return (
    `Image index ${shortDigest(lost.parent)} needs ${lost.digest} (${platform}), which the repository does not link ` +
    `any more, so the registry answers 404. ${victimsOf(lost)} ${remainsOf(lost)}${nextMark}${nextFor(lost)}`
  );
}

function victimsOf({ tags, child, isForRealPlatform }: LostChild): string {
  if (tags.length === 0) return "No tag leads there.";
  if (!isForRealPlatform) return `${listTags(tags)} can be pulled, but not the attestation.`;
  return `${listTags(tags)} cannot be pulled${child.platform === null ? " whole" : ` for ${child.platform}`}.`;
}

function remainsOf({ isOnDisk, partsTotal, partsGone }: LostChild): string {
  if (!isOnDisk) return "Its data is gone as well.";
  if (partsGone > 0)
    return (
      `Its manifest is in the store, but ${partsGone} of its ${partsTotal} blobs are gone, so the link alone would ` +
      "not make it whole."
    );
  return partsTotal > 0
    ? `Its manifest and its ${partsTotal} blobs are in the store.`
    : "Its manifest is in the store.";
}

function nextFor({ repository, digest, tags, isOnDisk, partsGone }: LostChild): string {
  if (!isOnDisk) return pushAgain(repository, tags);
  if (partsGone > 0) return pushAgain(repository, tags);
  const link = linkDirectory(revisionsPath("", repository), digest);
  return `put the link back, ${here}: mkdir -p ${link} && printf %s ${digest} > ${link}/link`;
}

function pushAgain(repository: string, tags: readonly string[]): string {
  const [tag] = tags;
  if (tag === undefined) return "nothing, unless somebody pulls it by digest; then build and push it again.";
  return `build and push again, for each tag: docker buildx build --push --tag REGISTRY/${repository}:${tag} .`;
}

/** `Tag a`, or `Tags a, b`; of many tags the first few, as the finding itself holds all. */
export function listTags(tags: readonly string[]): string {
  const shown = tags.slice(0, 5).join(", ");
  const rest = tags.length > 5 ? ` and ${tags.length - 5} more` : "";
  return `${tags.length === 1 ? "Tag" : "Tags"} ${shown}${rest}`;
}
