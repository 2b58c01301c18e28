import type { Digest } from "../../registry/digest.ts";
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
  return { state: "present", sizeBytes: Number(length) };
}
