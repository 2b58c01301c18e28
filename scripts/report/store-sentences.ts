import type { FindingCause } from "../../contract/finding.ts";
import type { Remains } from "../graph/raw-finding.ts";
import { type Digest, shortDigest } from "../registry/digest.ts";
import { blobDirectory, layersPath, linkDirectory, revisionsPath, uploadsPath } from "../registry/paths.ts";
import type { Described, Sentences } from "./describe-finding.ts";
import { brokenBy, buildAgain, listTags } from "./phrases.ts";

/**
 * What is said about a store. Paths to type are relative to the registry's data directory, which only the reader knows on
 * the machine where it counts.
 */
export function storeSentences(finding: Described): Sentences {
  if (finding.cause === "unreadable") return unreadable(finding);
  switch (finding.kind) {
    case "tag":
      return tag(finding);
    case "manifest":
    case "index-child":
      return manifest(finding);
    case "config":
    case "layer":
      return neededBlob(finding);
    case "layer-link":
      return finding.detail.role === undefined ? unreferencedLink(finding) : neededBlob(finding);
    case "referrer":
      return missingSubject(finding);
    case "upload":
    case "store":
    case "repository":
      return staleUpload(finding);
  }
}

const here = "in the registry's data directory";

function unreadable({ place, detail: { reason = "" } }: Described): Sentences {
  return {
    message: `${place} could not be read (${reason}), so nothing is known about it.`,
    hint: hintForUnreadable(reason),
  };
}

function hintForUnreadable(reason: string): string {
  if (reason === "EACCES" || reason === "EPERM")
    return "let the account that scans read it (directories also need the search permission), then scan again.";
  if (reason === "EIO") return "check the disk and its file system before anything else.";
  return "see what is there (ls -l, head), put right what is no part of a store, then scan again.";
}

function tag({ repository, tags, place, cause, detail: { reason } }: Described): Sentences {
  const state = cause === "link-missing" ? "is missing" : reason;
  return {
    message: `${listTags(tags)} leads nowhere and cannot be pulled: its link ${place} ${state}.`,
    hint: `${rebuild(repository, tags)} Or, when the tag is not needed any more: rm -r its directory.`,
  };
}

function manifest(finding: Described): Sentences {
  const { cause, registry, detail, place } = finding;
  const { remains } = detail;
  if (cause === "link-invalid") return badLink(finding, "manifest");
  const isOfCache = finding.severity === "warning" && finding.remedy === "remove-link";
  const victims = isOfCache && finding.tags.length > 0 ? "" : ` ${brokenBy(finding)}`;
  const left = remains ? ` ${describeRemains(remains)}` : "";
  return {
    message: `${troubleOfManifest({ ...finding, registry, place })}${victims}${left}`,
    hint: hintForManifest(finding),
  };
}

function troubleOfManifest({ kind, cause, digest, parent, platform, tags }: Described): string {
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

function describeRemains(remains: Remains): string {
  if (remains.content === "damaged") return "Its data is there, but damaged.";
  if (remains.content !== "complete") return "Its data is gone as well.";
  const { names, total, missing } = remains;
  if (missing > 0)
    return `Its manifest is in the store, but ${missing} of its ${total} ${names} are gone, so the link alone would not make it complete.`;
  return total > 0
    ? `Its manifest and its ${total} ${names} are in the store.`
    : "Its manifest is in the store.";
}

function hintForManifest({ cause, remedy, tags, repository, digest, detail }: Described): string {
  if (remedy === "relink") return relink(repository, "manifest", digest);
  if (remedy === "recopy") return recopy(detail.copyIn);
  if (remedy === "remove-link" && tags.length > 0) return "remove the link; the cache fetches it again.";
  if (cause === "size-mismatch") return rebuild(repository, tags);
  const isThere = cause === "blob-empty" || cause === "digest-mismatch";
  return `${isThere ? removeFirst(digest) : ""}${rebuild(repository, tags)}`;
}

const troublesOfBlob: Partial<Record<FindingCause, string>> = {
  "link-missing":
    "is in the store, but the repository does not link it any more, so the registry answers 404",
  "blob-missing": "is not in the store",
  "blob-empty": "is empty, so a client that pulls gets nothing",
  "size-mismatch": "has another length than the manifest says, as a file has that was cut short",
  "digest-mismatch": "holds other bytes than its digest stands for",
};

function neededBlob(finding: Described): Sentences {
  const { repository, cause, digest, parent, place, remedy, tags, detail } = finding;
  const noun = detail.role === "config" ? "configuration" : "layer";
  const trouble =
    cause === "link-invalid"
      ? `is in the store, but the link ${place} ${detail.reason}`
      : troublesOfBlob[cause];
  const message = `The ${noun} ${digest} of ${shortDigest(parent ?? "")} ${trouble}. ${brokenBy(finding)}`;
  if (remedy === "relink") return { message, hint: relink(repository, "blob", digest) };
  if (remedy === "recopy") return { message, hint: recopy(detail.copyIn) };
  const isThere = cause !== "blob-missing";
  return { message, hint: `${isThere ? removeFirst(digest) : ""}${rebuild(repository, tags)}` };
}

function unreferencedLink(finding: Described): Sentences {
  const { repository, digest, cause } = finding;
  if (cause === "link-invalid") return badLink(finding, "blob");
  const link = linkDirectory(layersPath("", repository ?? ""), digest as Digest);
  if (cause === "blob-missing")
    return {
      message: `The repository links the blob ${digest}, but it is not in the store: an image that needs it cannot be pulled.`,
      hint: `push that image again, which brings the blob back; if none needs it, ${here}: rm -r ${link}`,
    };
  return {
    message: `The blob ${digest}, which the repository links, is empty: pulls get nothing, and a push skips it as present.`,
    hint: `${here}: rm -r ${blobDirectory("", digest as Digest)} ${link} ; then push the image again, or let the cache fetch it again; with a descriptor cache, restart the registry before.`,
  };
}

function badLink(
  { repository, digest, tags, remedy, place, detail }: Described,
  target: "manifest" | "blob",
): Sentences {
  const broken = tags.length > 0 ? ` ${listTags(tags)} cannot be pulled.` : "";
  const message = `The link ${place} ${detail.reason}, so the registry cannot serve the ${target}.${broken}`;
  if (remedy === "relink" && digest !== null) return { message, hint: relink(repository, target, digest) };
  if (tags.length > 0) return { message, hint: rebuild(repository, tags) };
  return { message, hint: "remove the link's directory if no image needs it, else push the image again." };
}

function missingSubject({ digest, parent, tags }: Described): Sentences {
  const what = parent === null ? "What lies behind it" : `The artifact ${parent}`;
  const by = tags.length > 0 ? ` (${listTags(tags)})` : "";
  return {
    message:
      `${what}${by} is a signature of, or another statement about, the manifest ${digest}, which the repository does ` +
      "not serve: it is of no use.",
    hint: "remove the tag if that image was removed on purpose, else push the image again.",
  };
}

function staleUpload({ repository, place, detail: { upload } }: Described): Sentences {
  const since = new Date(upload?.lastWrittenAt ?? 0).toISOString().slice(0, 10);
  return {
    message: `The upload ${place} has not been written to since ${since}; it holds ${upload?.sizeBytes} bytes that no client can pull.`,
    hint: `${here}: rm -r ${uploadsPath("", repository ?? "")}/${place}`,
  };
}

/** How a link is put back whose data survives. Ends with the command, so that it can be copied. */
function relink(repository: string | null, target: "manifest" | "blob", digest: string | null): string {
  const base = (target === "manifest" ? revisionsPath : layersPath)("", repository ?? "");
  const link = linkDirectory(base, digest as Digest);
  return (
    `regwarden repair DIR --apply puts the link back; or by hand, ${here}: ` +
    `mkdir -p ${link} && printf %s ${digest} > ${link}/link`
  );
}

function recopy(registry: string | undefined): string {
  return `regwarden repair DIR --apply copies from the registry ${registry} what is missing here.`;
}

function rebuild(repository: string | null, tags: readonly string[]): string {
  if (tags.length === 0) return "nothing, unless it is pulled by digest; then build and push it again.";
  return buildAgain(`REGISTRY/${repository}`, tags);
}

/**
 * What comes before a push when the bad bytes are still there.
 *
 * Source: distribution v2.8.3, registry/storage/blobstore.go, Put, and blobwriter.go, moveBlob: neither writes over what
 * is in the store already, whatever its length.
 */
function removeFirst(digest: string | null): string {
  return `${here}: rm -r ${blobDirectory("", digest as Digest)} (and, with a descriptor cache, restart the registry), as a push skips what is there; then `;
}
