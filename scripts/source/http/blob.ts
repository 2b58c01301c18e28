import {
  type Digest,
  isDigestOf,
  isDigestOfNothing,
  parseDigest,
  splitDigest,
} from "../../registry/digest.ts";
import type { BlobState } from "../source.ts";
import type { Refusal, Reply, Requests } from "./requests.ts";

/** A blob that was fetched to its end. */
export type FetchedBlob =
  | { readonly state: "fetched"; readonly sizeBytes: number; readonly content: Uint8Array }
  /** Other bytes than its digest stands for. */
  | { readonly state: "altered"; readonly sizeBytes: number }
  | Exclude<BlobState, { state: "present" }>;

/**
 * Ways to ask for one byte, the best first. The last byte: a registry whose cache of descriptors believes in a blob that
 * was cut short can still give the first; and 2.8.3 reads 4 MiB of its disk to give the first, one byte to give the last.
 */
const ranges: readonly (string | undefined)[] = ["bytes=-1", "bytes=0-0", undefined];

/** Statuses by which servers refuse a range that they do not know, or that a blob does not have. */
const refusals = [400, 416];

/** What is read at most of a server that gives a blob from its start whatever it is asked for. */
const firstBytes = 16 * 1024;

/**
 * A reader of blobs: whether the repository serves one, and how long it is. It asks for a byte, as registry 2.8.3
 * answers HEAD from its cache of descriptors, also for what is gone from the disk.
 *
 * Source: distribution v2.8.3, registry/storage/blobserver.go and filereader.go; RFC 9110, "Range Requests".
 */
export function createBlobReader(requests: Requests) {
  let ways = ranges;
  const askInWay = (location: string, repository: string, range: string | undefined) => {
    const question = { ...blobQuestion(repository), use: { firstBytes } };
    if (range === undefined) return requests.ask(location, question);
    return requests.tryAsk(location, { ...question, range }, refusals);
  };
  return async (repository: string, digest: Digest): Promise<BlobState> => {
    const location = blobLocation(requests, repository, digest);
    // No byte of nothing can be asked for.
    for (const range of isDigestOfNothing(digest) ? [undefined] : ways) {
      const reply = await askInWay(location, repository, range);
      if (reply.state === "refused" && totalOf(reply) !== 0) continue;
      // What was refused once is refused for the next blob as well.
      if (reply.state === "found" && reply.body.byteLength > 0) ways = ranges.slice(ranges.indexOf(range));
      return toBlobState(requests, { repository, digest, location }, reply);
    }
    return requests.fault("unexpected", location, "refuses every range");
  };
}

type Found = Extract<Reply, { state: "found" }>;
type Absence = Exclude<BlobState, { state: "present" }>;

interface Subject {
  readonly repository: string;
  readonly digest: Digest;
  readonly location: string;
}

async function toBlobState(requests: Requests, subject: Subject, reply: Reply | Refusal): Promise<BlobState> {
  if (reply.state === "refused") return { state: "present", sizeBytes: 0 };
  if (reply.state !== "found") return toAbsence(reply);
  const sizeBytes = sizeOf(reply) ?? (await askSize(requests, subject));
  if (typeof sizeBytes !== "number") return sizeBytes;
  if (sizeBytes > 0 && reply.body.byteLength === 0)
    return requests.fault("unexpected", subject.location, "answers without a byte of it");
  const isAltered = namesOther(subject.digest, reply.headers.get("docker-content-digest"));
  return { state: "present", sizeBytes, ...(isAltered && { isAltered }) };
}

/** The state of a blob that did not come. */
function toAbsence(reply: Exclude<Reply, Found>): Absence {
  // A client that pulls it gets as little.
  if (reply.state === "brokenOff") return { state: "missing", isPromised: true };
  if (reply.state !== "invalid") return reply;
  const { state, location, reason } = reply;
  return { state, location, reason };
}

/** The length of a blob, from an answer with a part of it or with its start. Undefined where it does not say. */
function sizeOf(reply: Found): number | undefined {
  if (reply.status === 206) return totalOf(reply);
  return reply.isPartRead ? lengthOf(reply) : reply.body.byteLength;
}

/** Of an empty blob 2.8.3 says `bytes 0--1/0`, a 416 that it has no such part. */
function totalOf({ headers }: Pick<Found, "headers">): number | undefined {
  const [, total] = /^bytes [^/]+\/(\d+)$/.exec(headers.get("content-range") ?? "") ?? [];
  return total === undefined ? undefined : Number(total);
}

function lengthOf({ headers }: Found): number | undefined {
  const length = headers.get("content-length") ?? "";
  return /^\d+$/.test(length) ? Number(length) : undefined;
}

/** For a blob of which a byte came: a HEAD alone may be wrong. */
async function askSize(requests: Requests, { repository, location }: Subject): Promise<number | Absence> {
  const reply = await requests.ask(location, { ...blobQuestion(repository), method: "HEAD" });
  if (reply.state !== "found") return toAbsence(reply);
  return lengthOf(reply) ?? requests.fault("unexpected", location, "answers without a length");
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
  const reply = await requests.ask(blobLocation(requests, repository, digest), blobQuestion(repository));
  if (reply.state !== "found") return toAbsence(reply);
  const sizeBytes = reply.body.byteLength;
  if (!isDigestOf(digest, reply.body)) return { state: "altered", sizeBytes };
  return { state: "fetched", sizeBytes, content: reply.body };
}

/** A blob of any size, hashed as it comes; `content` is empty. */
export async function hashBlob(requests: Requests, repository: string, digest: Digest): Promise<FetchedBlob> {
  const { algorithm, hex } = splitDigest(digest);
  const location = blobLocation(requests, repository, digest);
  const reply = await requests.ask(location, { ...blobQuestion(repository), use: { hash: algorithm } });
  if (reply.state === "brokenOff" && reply.receivedBytes > 0) {
    // A long way may be interrupted, so only a blob whose end is not served either is damaged.
    const blob = await createBlobReader(requests)(repository, digest);
    return blob.state === "present" ? requests.fault("unavailable", location, reply.reason) : blob;
  }
  if (reply.state !== "found") return toAbsence(reply);
  const sizeBytes = reply.hashed?.sizeBytes ?? 0;
  if (reply.hashed?.hex !== hex) return { state: "altered", sizeBytes };
  return { state: "fetched", sizeBytes, content: new Uint8Array() };
}

export function blobLocation({ origin }: Requests, repository: string, digest: Digest): string {
  return `${origin}/v2/${repository}/blobs/${digest}`;
}

// A registry whose blobs lie in object storage names that location.
export function blobQuestion(repository: string) {
  return { scope: `repository:${repository}:pull`, mayBeElsewhere: true } as const;
}
