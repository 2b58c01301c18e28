import type { Finding } from "../../contract/scan-report.ts";
import { type Digest, shortDigest } from "../registry/digest.ts";
import { listTags, nextMark, pushAgain, relink, removeFirst, victimsOf } from "./messages.ts";
import { faultOfBlob } from "./parts.ts";
import type { StoreView } from "./store-view.ts";

/** What a finding says about a manifest that cannot be served. */
export function lostManifestMessage(
  view: StoreView,
  finding: Omit<Finding, "message">,
  digest: Digest,
): string {
  const victims = view.facts.mode === "cache" ? "" : ` ${victimsOf(finding)}`;
  const remains = finding.cause === "link-missing" ? ` ${remainsOf(view, digest)}` : "";
  return `${troubleOf(finding)}${victims}${remains}${nextMark}${nextFor(view, finding, digest)}`;
}

function troubleOf({ kind, cause, digest, parent, platform, tags }: Omit<Finding, "message">): string {
  const index = `Image index ${shortDigest(parent ?? "")}`;
  const named = `${digest} (${platform ?? "no platform named"})`;
  if (cause === "link-missing" && kind === "index-child")
    return `${index} needs ${named}, which the repository does not link any more, so the registry answers 404.`;
  if (cause === "link-missing")
    return `${listTags(tags)} leads to ${digest}, which the repository does not link any more, so the registry answers 404.`;
  if (cause === "size-mismatch")
    return `${index} says another length of ${named} than it has, so clients that compare refuse it.`;
  const what = `The manifest ${digest}, which the repository links,`;
  if (cause === "blob-missing") return `${what} is not in the store.`;
  if (cause === "blob-empty") return `${what} is empty.`;
  return `${what} holds other bytes than its digest stands for.`;
}

function remainsOf(view: StoreView, digest: Digest): string {
  const state = view.facts.manifests.get(digest);
  if (state?.state === "altered" || state?.state === "empty") return "Its data is there, but damaged.";
  if (state?.state !== "parsed") return "Its data is gone as well.";
  const { manifest } = state;
  const [total, gone] =
    manifest.type === "index"
      ? [manifest.children.length, manifest.children.filter((child) => !view.isWhole(child.digest)).length]
      : [
          manifest.blobs.length,
          manifest.blobs.filter((blob) => faultOfBlob(view.facts.blob(blob.digest), blob)).length,
        ];
  const parts = manifest.type === "index" ? "children" : "blobs";
  if (gone > 0)
    return `Its manifest is in the store, but ${gone} of its ${total} ${parts} are gone, so the link alone would not make it whole.`;
  return total > 0
    ? `Its manifest and its ${total} ${parts} are in the store.`
    : "Its manifest is in the store.";
}

function nextFor({ facts }: StoreView, finding: Omit<Finding, "message">, digest: Digest): string {
  const { cause, remedy, tags } = finding;
  const { repository } = facts;
  if (remedy === "relink") return relink(repository, "manifest", digest);
  if (facts.mode === "cache") return "remove the link; the cache fetches it again.";
  if (cause === "size-mismatch") return pushAgain(repository, tags);
  const isInTheWay = cause === "blob-empty" || cause === "digest-mismatch";
  return `${isInTheWay ? removeFirst(digest) : ""}${pushAgain(repository, tags)}`;
}
