import { describeError, ProgramError } from "../../cli/errors.ts";
import type { Digest } from "../../registry/digest.ts";
import { blobLocation, blobQuestion } from "./blob.ts";
import { manifestLocation, manifestQuestion } from "./manifest.ts";
import type { Reply, Requests } from "./requests.ts";

/** Answers that are interrupted one after the other, without a byte in any, before the rest is given up. */
const mostInterruptions = 3;

/** The bytes of a digest, as the registry serves them. Errors: E_REGISTRY_ANSWER. */
export async function* readContent(
  requests: Requests,
  repository: string,
  digest: Digest,
  of: "manifest" | "blob",
): AsyncGenerator<Uint8Array> {
  if (of === "blob") return yield* readBlobContent(requests, repository, digest);
  const location = manifestLocation(requests, repository, digest);
  yield requireFound(await requests.ask(location, manifestQuestion(repository))).body;
}

/**
 * A blob of any length in one answer, and after an interruption the rest in another: no line is too slow, as long as a
 * byte comes now and then, and a server that knows no ranges serves as well.
 */
async function* readBlobContent(
  requests: Requests,
  repository: string,
  digest: Digest,
): AsyncGenerator<Uint8Array> {
  const location = blobLocation(requests, repository, digest);
  const question = { ...blobQuestion(repository), use: "stream" } as const;
  let position = 0;
  for (let interruptions = 0; ; interruptions += 1) {
    const reply = requireFound(await requests.ask(location, { ...question, range: `bytes=${position}-` }));
    const part = partOf(reply);
    if (part.first > position) throw registryAnswer("answers with another part than it was asked for");
    const start = position;
    try {
      for await (const chunk of withoutFirst(reply.stream ?? [], start - part.first)) {
        position += chunk.byteLength;
        interruptions = 0;
        yield chunk;
      }
      // The second ends a server that gives nothing, again and again.
      if (position >= part.totalBytes || position === start) return;
    } catch (error) {
      if (interruptions + 1 >= mostInterruptions)
        throw registryAnswer(`breaks off after ${position} bytes: ${describeError(error)}`);
    }
  }
}

/** Where the bytes of an answer lie in the blob. A server that knows no ranges gives all of it. */
function partOf({ status, headers }: Found): { readonly first: number; readonly totalBytes: number } {
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get("content-range") ?? "") ?? [];
  if (status !== 206 || total === undefined) return { first: 0, totalBytes: 0 };
  return { first: Number(first), totalBytes: Number(total) };
}

async function* withoutFirst(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  count: number,
): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const chunk of chunks) {
    if (chunk.byteLength > left) yield left === 0 ? chunk : chunk.subarray(left);
    left = Math.max(0, left - chunk.byteLength);
  }
}

type Found = Extract<Reply, { state: "found" }>;

function requireFound(reply: Reply): Found {
  if (reply.state === "found") return reply;
  throw registryAnswer(reply.state === "missing" ? "answers 404" : reply.reason);
}

function registryAnswer(reason: string): ProgramError {
  return new ProgramError("E_REGISTRY_ANSWER", reason);
}
