import { ProgramError } from "../../cli/errors.ts";
import { createAuthorization } from "../../http/authorization.ts";
import type { Account } from "../../http/exchange.ts";
import { createRetryingSend } from "../../http/retry.ts";
import { type Digest, isDigestOf } from "../../registry/digest.ts";
import { acceptAnyManifest } from "../../registry/media-types.ts";
import { createRequests, type Reply } from "../../source/http/requests.ts";
import type { ManifestBytes, Origin, Size } from "./origin.ts";

/**
 * What one request asks of a blob. Small enough to arrive before the client loses patience over a slow line, and to lie
 * in memory; a request that fails is repeated without fetching the whole layer again.
 */
const pieceBytes = 2 * 1024 * 1024;

interface Options {
  /** Scheme, host and port. */
  readonly url: string;
  /** The only repository to ask; null: the one of the same name. */
  readonly repository: string | null;
  readonly account: Account | undefined;
}

/** A healthy registry, over HTTP, one request at a time. Nothing that it says is believed before it is hashed. */
export function httpOrigin({ url, repository, account }: Options): Origin {
  const nobody = () => {};
  const send = createRetryingSend({
    tries: 3,
    pauseSeconds: 0.25,
    retryAfterLimitSeconds: 30,
    onRequest: nobody,
  });
  const authorization = createAuthorization({ origin: url, account, send });
  const { ask, fault } = createRequests({
    origin: url,
    concurrency: 1,
    send,
    authorization,
    onFault: nobody,
  });
  const askManifest = (name: string, digest: Digest) =>
    ask(`${url}/v2/${name}/manifests/${digest}`, { accept: acceptAnyManifest, scope: scopeOf(name) });
  const askPart = (name: string, digest: Digest, first: number, last: number) =>
    ask(`${url}/v2/${name}/blobs/${digest}`, {
      scope: scopeOf(name),
      mayBeElsewhere: true,
      range: `bytes=${first}-${last}`,
    });
  return {
    label: repository === null ? url : `${url}/${repository}`,
    repositoryFor: (name) => repository ?? name,
    sizeOf: async (name, digest) => sizeOf(await askPart(name, digest, 0, 0)),
    manifest: async (name, digest) =>
      judgeManifest(await askManifest(name, digest), digest, (reason) =>
        fault("unexpected", `${url}/v2/${name}/manifests/${digest}`, reason),
      ),
    read: (name, digest, isManifest) =>
      isManifest
        ? readWhole(() => askManifest(name, digest))
        : readPieces((first) => askPart(name, digest, first, first + pieceBytes - 1)),
  };
}

function scopeOf(repository: string): string {
  return `repository:${repository}:pull`;
}

type Found = Extract<Reply, { state: "found" }>;

/** Where a part of a blob lies in it. Undefined when the server gave all at once, as one does that knows no parts. */
function placeOf({ headers }: Found): { readonly first: number; readonly totalBytes: number } | undefined {
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get("content-range") ?? "") ?? [];
  return total === undefined ? undefined : { first: Number(first), totalBytes: Number(total) };
}

function sizeOf(reply: Reply): Size {
  if (reply.state !== "found") return reply;
  return { state: "present", sizeBytes: placeOf(reply)?.totalBytes ?? reply.body.byteLength };
}

function judgeManifest(
  reply: Reply,
  digest: Digest,
  fault: (reason: string) => ManifestBytes,
): ManifestBytes {
  if (reply.state !== "found") return reply;
  // Docker's first schema comes with signatures that its digest leaves out: these bytes are not those of the store.
  if (/prettyjws/.test(reply.headers.get("content-type") ?? "")) return { state: "missing" };
  if (!isDigestOf(digest, reply.body)) return fault("answers with other bytes than the digest stands for");
  return { state: "read", content: reply.body };
}

async function* readWhole(ask: () => Promise<Reply>): AsyncGenerator<Uint8Array> {
  yield requireFound(await ask()).body;
}

async function* readPieces(ask: (first: number) => Promise<Reply>): AsyncGenerator<Uint8Array> {
  for (let position = 0; ; ) {
    const reply = requireFound(await ask(position));
    const location = placeOf(reply) ?? { first: 0, totalBytes: reply.body.byteLength };
    if (location.first !== position)
      throw new ProgramError("E_REGISTRY_ANSWER", "answers with another part than it was asked for");
    // Also ends a server that gives nothing, again and again.
    if (reply.body.byteLength === 0) return;
    yield reply.body;
    position += reply.body.byteLength;
    if (position >= location.totalBytes) return;
  }
}

function requireFound(reply: Reply): Found {
  if (reply.state === "missing") throw new ProgramError("E_REGISTRY_ANSWER", "answers 404");
  if (reply.state === "unreadable") throw new ProgramError("E_REGISTRY_ANSWER", reply.reason);
  return reply;
}
