import { type Digest, isDigestOf } from "../../registry/digest.ts";
import { parseManifest } from "../../registry/manifest.ts";
import { acceptAnyManifest } from "../../registry/media-types.ts";
import type { ManifestState } from "../source.ts";
import type { Reply, Requests } from "./requests.ts";

/** The manifest that a digest names, as the repository serves it. */
export async function readManifest(
  requests: Requests,
  repository: string,
  digest: Digest,
): Promise<ManifestState> {
  const location = manifestLocation(requests, repository, digest);
  return toManifestState(
    requests,
    location,
    digest,
    await requests.ask(location, manifestQuestion(repository)),
  );
}

/** What an answer says about the manifest of a digest, whether it was asked for by that or by a tag. */
export function toManifestState(
  requests: Requests,
  location: string,
  digest: Digest,
  reply: Reply,
): ManifestState {
  // A client that pulls it gets as little.
  if (reply.state === "brokenOff")
    return reply.receivedBytes > 0 ? { state: "altered" } : { state: "missing", isPromised: true };
  if (reply.state === "invalid")
    return reply.fault === "content"
      ? { state: "altered" }
      : { state: "invalid", location: reply.location, reason: reply.reason };
  if (reply.state !== "found") return reply;
  if (reply.body.byteLength === 0) return { state: "empty" };
  const isExact = isDigestOf(digest, reply.body);
  if (!isExact && !isSigned(reply)) return { state: "altered" };
  const manifest = parseManifest(reply.body);
  if (manifest.type === "fault")
    return { ...requests.fault("unexpected", location, manifest.reason), isUnparsable: true };
  // The length of the signatures is not that of what the digest stands for.
  return { state: "parsed", manifest, ...(isExact && { sizeBytes: reply.body.byteLength }) };
}

/** Docker's first schema is named by the digest of its payload alone, without the signatures around it. */
function isSigned({ headers }: Extract<Reply, { state: "found" }>): boolean {
  return /prettyjws/.test(headers.get("content-type") ?? "");
}

/** `reference`: a digest, or a tag as URLs spell it. */
export function manifestLocation({ origin }: Requests, repository: string, reference: string): string {
  return `${origin}/v2/${repository}/manifests/${reference}`;
}

export function manifestQuestion(repository: string) {
  return { accept: acceptAnyManifest, scope: `repository:${repository}:pull` } as const;
}
