import { type Digest, isDigestOf, parseDigest, splitDigest } from "../../registry/digest.ts";
import type { BlobState } from "../source.ts";
import type { Requests } from "./requests.ts";

/** A blob that was fetched whole. */
export type FetchedBlob =
  | { readonly state: "fetched"; readonly sizeBytes: number; readonly content: Uint8Array }
  /** Other bytes than its digest stands for. */
  | { readonly state: "altered"; readonly sizeBytes: number }
  | Exclude<BlobState, { state: "present" }>;

/** Whether the repository serves a blob, and how long it says that it is. */
export async function readBlob(requests: Requests, repository: string, digest: Digest): Promise<BlobState> {
  const location = placeOf(requests, repository, digest);
  const reply = await requests.ask(location, { method: "HEAD", ...blobQuestion(repository) });
  if (reply.state !== "found") return reply;
  const length = reply.headers.get("content-length");
  if (length === null || !/^\d+$/.test(length))
    return requests.fault("unexpected", location, "answers without a Content-Length");
  const isAltered = namesOther(digest, reply.headers.get("docker-content-digest"));
  return { state: "present", sizeBytes: Number(length), ...(isAltered && { isAltered }) };
}

/** Whether a registry says that it serves something else, as it does where a link leads to another blob. */
function namesOther(digest: Digest, header: string | null): boolean {
  const served = parseDigest(header ?? "");
  if (!served || served === digest) return false;
  return splitDigest(served).algorithm === splitDigest(digest).algorithm;
}

/** A small blob itself, such as a configuration. */
export async function fetchBlob(
  requests: Requests,
  repository: string,
  digest: Digest,
): Promise<FetchedBlob> {
  const reply = await requests.ask(placeOf(requests, repository, digest), blobQuestion(repository));
  if (reply.state !== "found") return reply;
  const sizeBytes = reply.body.byteLength;
  if (!isDigestOf(digest, reply.body)) return { state: "altered", sizeBytes };
  return { state: "fetched", sizeBytes, content: reply.body };
}

/** A blob of any size, hashed as it comes; `content` is empty. */
export async function hashBlob(requests: Requests, repository: string, digest: Digest): Promise<FetchedBlob> {
  const { algorithm, hex } = splitDigest(digest);
  const question = { ...blobQuestion(repository), hashOnly: algorithm };
  const reply = await requests.ask(placeOf(requests, repository, digest), question);
  if (reply.state !== "found") return reply;
  const { hashed } = reply;
  const sizeBytes = hashed?.sizeBytes ?? 0;
  if (hashed?.hex !== hex) return { state: "altered", sizeBytes };
  return { state: "fetched", sizeBytes, content: new Uint8Array() };
}

function placeOf({ origin }: Requests, repository: string, digest: Digest): string {
  return `${origin}/v2/${repository}/blobs/${digest}`;
}

// A registry whose blobs lie in object storage sends the asker there.
function blobQuestion(repository: string) {
  return { scope: `repository:${repository}:pull`, mayBeElsewhere: true } as const;
}
