import { type Digest, isDigestOf } from "../../registry/digest.ts";
import { parseManifest } from "../../registry/manifest.ts";
import { acceptAnyManifest } from "../../registry/media-types.ts";
import type { ManifestState } from "../source.ts";
import type { Requests } from "./requests.ts";

/** The manifest that a digest names, as the repository serves it. */
export async function readManifest(
  requests: Requests,
  repository: string,
  digest: Digest,
): Promise<ManifestState> {
  const location = `${requests.origin}/v2/${repository}/manifests/${digest}`;
  const scope = `repository:${repository}:pull`;
  const reply = await requests.ask(location, { accept: acceptAnyManifest, scope });
  if (reply.state !== "found") return reply;
  if (reply.body.byteLength === 0) return { state: "empty" };
  // Docker's first schema is named by the digest of its payload alone, without the signatures around it.
  const isSigned = /prettyjws/.test(reply.headers.get("content-type") ?? "");
  if (!isSigned && !isDigestOf(digest, reply.body)) return { state: "altered" };
  const manifest = parseManifest(reply.body);
  if (manifest.type === "fault") return requests.fault("unexpected", location, manifest.reason);
  return { state: "parsed", manifest, sizeBytes: reply.body.byteLength };
}
