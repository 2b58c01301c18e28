import { createHash } from "node:crypto";
import { describeError, ProgramError } from "../cli/errors.ts";
import { type Digest, parseDigest, splitDigest } from "../registry/digest.ts";
import type { Pace } from "../source/source.ts";
import type { Effects, Sink } from "../store-change/effects.ts";
import type { Ownership } from "../store-change/paths.ts";
import type { PlannedChange } from "./change.ts";
import type { Offer } from "./facts.ts";
import type { Origin } from "./origins/origin.ts";

interface Context {
  readonly effects: Effects;
  readonly origins: readonly Origin[];
  /** Waits so that no more than the limit comes in. */
  readonly pace: Pace;
}

/**
 * Brings a blob from the first who gives the right bytes into the staging area, hashed while it comes.
 *
 * Errors: E_REGISTRY_ANSWER when nobody does, with what each gave instead; those of the file system when the disk
 * cannot take it. Nothing is left behind then.
 */
export async function stageBlob(
  change: PlannedChange,
  staged: string,
  like: Ownership,
  { effects, origins, pace }: Context,
): Promise<void> {
  const digest = parseDigest(change.digest);
  const refusals: string[] = [];
  for (const offer of digest ? change.offers : []) {
    const origin = origins.find(({ label }) => label === offer.origin);
    if (!origin || !digest) continue;
    const sink = await effects.createFile(staged, like);
    const refusal = await pour({ origin, offer, digest, isManifest: change.isManifest, sink, pace }).catch(
      async (error: unknown) => {
        await discard(sink, staged, effects);
        throw error;
      },
    );
    if (refusal === undefined) return await sink.finish();
    await discard(sink, staged, effects);
    refusals.push(`${origin.label} ${refusal}`);
  }
  const why = refusals.length > 0 ? refusals.join("; ") : "nobody offers it";
  throw new ProgramError("E_REGISTRY_ANSWER", `${change.digest} was not copied: ${why}.`);
}

interface Pouring {
  readonly origin: Origin;
  readonly offer: Offer;
  readonly digest: Digest;
  readonly isManifest: boolean;
  readonly sink: Sink;
  readonly pace: Pace;
}

/** Why what came is of no use; undefined when it is right. */
async function pour({ origin, offer, digest, isManifest, sink, pace }: Pouring): Promise<string | undefined> {
  const { algorithm, hex } = splitDigest(digest);
  const hash = createHash(algorithm);
  let length = 0;
  const source = origin.read(offer.repository, digest, isManifest)[Symbol.asyncIterator]();
  for (;;) {
    // Only a fault of whoever gives is a reason to ask another; a full disk is one for all.
    const next = await source.next().catch((error: unknown) => ({ fault: describeError(error) }));
    if ("fault" in next) return `does not give it: ${next.fault}`;
    if (next.done) break;
    length += next.value.byteLength;
    if (length > offer.sizeBytes) {
      await source.return?.();
      return `gives more than the ${offer.sizeBytes} bytes that it promised`;
    }
    hash.update(next.value);
    await sink.write(next.value);
    await pace(next.value.byteLength);
  }
  if (length < offer.sizeBytes) return `gives ${length} bytes instead of ${offer.sizeBytes}`;
  return hash.digest("hex") === hex ? undefined : "gives other bytes than the digest stands for";
}

async function discard(sink: Sink, staged: string, effects: Effects): Promise<void> {
  await sink.abandon().catch(() => {});
  await effects.removeFile(staged).catch(() => {});
}
