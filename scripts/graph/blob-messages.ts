import type { Finding, FindingCause } from "../../contract/scan-report.ts";
import { type Digest, shortDigest } from "../registry/digest.ts";
import type { BlobDescriptor } from "../registry/manifest.ts";
import { blobDirectory, layersPath, linkDirectory } from "../registry/paths.ts";
import type { LinkState } from "../source/source.ts";
import type { RepositoryFacts } from "./facts.ts";
import { here, nextMark, pushAgain, relink, removeFirst, victimsOf } from "./messages.ts";

const troubles: Partial<Record<FindingCause, string>> = {
  "link-missing":
    "is in the store, but the repository does not link it any more, so the registry answers 404",
  "blob-missing": "is not in the store",
  "blob-empty": "is empty, so whoever pulls gets nothing",
  "size-mismatch": "has another length than the manifest says, as a file has that was cut short",
  "digest-mismatch": "holds other bytes than its digest stands for",
};

/** What a finding says about a configuration or layer that an image needs and does not get. */
export function neededBlobMessage(
  finding: Omit<Finding, "message">,
  role: BlobDescriptor["role"],
  digest: Digest,
  link: LinkState | undefined,
): string {
  const { repository, cause, parent, remedy, tags } = finding;
  const noun = role === "config" ? "configuration" : "layer";
  const trouble =
    cause === "link-invalid" && link?.state === "invalid"
      ? `is in the store, but the link ${link.location} ${link.reason}`
      : troubles[cause];
  const what = `The ${noun} ${digest} of ${shortDigest(parent ?? "")} ${trouble}. ${victimsOf(finding)}`;
  if (remedy === "relink") return `${what}${nextMark}${relink(repository ?? "", "blob", digest)}`;
  const isInTheWay = cause !== "blob-missing";
  return `${what}${nextMark}${isInTheWay ? removeFirst(digest) : ""}${pushAgain(repository ?? "", tags)}`;
}

/** What a finding says about a link that leads to nothing, and that no image needs of which the repository knows. */
export function idleLinkMessage(
  { repository, mode }: Pick<RepositoryFacts, "repository" | "mode">,
  digest: Digest,
  cause: "blob-missing" | "blob-empty",
): string {
  const link = linkDirectory(layersPath("", repository), digest);
  const again =
    mode === "cache" ? "the cache fetches it again." : "restart the registry, push the image again.";
  if (cause === "blob-missing")
    return (
      `The repository links the blob ${digest}, but it is not in the store: whatever image needs it cannot be pulled.` +
      `${nextMark}push that image again, which brings the blob back; if none needs it, ${here}: rm -r ${link}`
    );
  return (
    `The blob ${digest}, which the repository links, is empty: pulls get nothing, and a push skips it as present.` +
    `${nextMark}${here}: rm -r ${blobDirectory("", digest)} ${link} ; ${again}`
  );
}
