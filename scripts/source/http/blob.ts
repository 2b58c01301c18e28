import { type Digest, parseDigest, splitDigest } from "../../registry/digest.ts";
import type { BlobState } from "../source.ts";
import type { Requests } from "./requests.ts";

/** Whether the repository serves a blob, and how long it says that it is. */
export async function readBlob(requests: Requests, repository: string, digest: Digest): Promise<BlobState> {
  const place = `${requests.origin}/v2/${repository}/blobs/${digest}`;
  const scope = `repository:${repository}:pull`;
  const reply = await requests.ask(place, { method: "HEAD", scope });
  if (reply.state !== "found") return reply;
  const length = reply.headers.get("content-length");
  if (length === null || !/^\d+$/.test(length))
    return requests.fault("unexpected", place, "answers without a Content-Length");
  const isAltered = namesOther(digest, reply.headers.get("docker-content-digest"));
  return { state: "present", sizeBytes: Number(length), ...(isAltered && { isAltered }) };
}

/** Whether a registry says that it serves something else, as it does where a link leads to another blob. */
function namesOther(digest: Digest, header: string | null): boolean {
  const served = parseDigest(header ?? "");
  if (!served || served === digest) return false;
  return splitDigest(served).algorithm === splitDigest(digest).algorithm;
}
