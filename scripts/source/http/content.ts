import { ProgramError } from "../../cli/errors.ts";
import type { Digest } from "../../registry/digest.ts";
import { acceptAnyManifest } from "../../registry/media-types.ts";
import type { Reply, Requests } from "./requests.ts";

/**
 * What one request asks of a blob. Small enough to arrive before the client loses patience over a slow line, and to lie
 * in memory; a request that fails is repeated without fetching the whole layer again.
 */
const pieceBytes = 2 * 1024 * 1024;

/** The bytes of a digest, as the registry serves them. Errors: E_REGISTRY_ANSWER. */
export async function* readContent(
  requests: Requests,
  repository: string,
  digest: Digest,
  of: "manifest" | "blob",
): AsyncGenerator<Uint8Array> {
  const scope = `repository:${repository}:pull`;
  const base = `${requests.origin}/v2/${repository}`;
  if (of === "manifest") {
    const reply = await requests.ask(`${base}/manifests/${digest}`, { accept: acceptAnyManifest, scope });
    return yield requireFound(reply).body;
  }
  for (let position = 0; ; ) {
    const range = `bytes=${position}-${position + pieceBytes - 1}`;
    const question = { scope, mayBeElsewhere: true, range };
    const reply = requireFound(await requests.ask(`${base}/blobs/${digest}`, question));
    const piece = pieceOf(reply) ?? { first: 0, totalBytes: reply.body.byteLength };
    if (piece.first !== position)
      throw new ProgramError("E_REGISTRY_ANSWER", "answers with another part than it was asked for");
    // Also ends a server that gives nothing, again and again.
    if (reply.body.byteLength === 0) return;
    yield reply.body;
    position += reply.body.byteLength;
    if (position >= piece.totalBytes) return;
  }
}

type Found = Extract<Reply, { state: "found" }>;

/** Where a part of a blob lies in it. Undefined when the server gave all at once, as one does that knows no parts. */
function pieceOf({ headers }: Found): { readonly first: number; readonly totalBytes: number } | undefined {
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get("content-range") ?? "") ?? [];
  return total === undefined ? undefined : { first: Number(first), totalBytes: Number(total) };
}

function requireFound(reply: Reply): Found {
  if (reply.state === "missing") throw new ProgramError("E_REGISTRY_ANSWER", "answers 404");
  if (reply.state === "unreadable") throw new ProgramError("E_REGISTRY_ANSWER", reply.reason);
  return reply;
}
