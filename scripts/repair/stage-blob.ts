import { createHash } from "node:crypto";
import { describeError, ProgramError } from "../cli/errors.ts";
import { type Digest, isDigestOfNothing, splitDigest } from "../registry/digest.ts";
import type { Pace } from "../source/source.ts";
import type { Effects, Sink } from "../store-change/effects.ts";
import type { Ownership } from "../store-change/paths.ts";
import type { PlannedChange } from "./change.ts";
import type { CandidateCopy } from "./copies-found.ts";
import type { CopySource } from "./copy-source.ts";

interface Context {
  readonly effects: Effects;
  readonly sources: readonly CopySource[];
  /** Waits so that no more than the limit comes in. */
  readonly pace: Pace;
}

/**
 * Brings a blob from the first source that gives the right bytes into the staging area, hashed while it comes.
 *
 * Errors: E_REGISTRY_ANSWER when none does, with what each gave instead; those of the file system when the disk cannot
 * take it. Nothing is left behind then.
 */
export async function stageBlob(
  { copies, target, isManifest }: PlannedChange,
  staged: string,
  like: Ownership,
  { effects, sources, pace }: Context,
): Promise<void> {
  if (isDigestOfNothing(target)) return await (await effects.createFile(staged, like)).finish();
  const refusals: string[] = [];
  for (const copy of copies) {
    const source = sources.find(({ label }) => label === copy.source);
    if (!source) continue;
    const sink = await effects.createFile(staged, like);
    const refusal = await pour({ source, copy, target, isManifest, sink, pace }).catch(
      async (error: unknown) => {
        await discard(sink, staged, effects);
        throw error;
      },
    );
    if (refusal === undefined) return await sink.finish();
    await discard(sink, staged, effects);
    refusals.push(`${copy.source} ${refusal}`);
  }
  const why = refusals.length > 0 ? refusals.join("; ") : "no source has it";
  throw new ProgramError("E_REGISTRY_ANSWER", `${target} was not copied: ${why}.`);
}

interface Pouring {
  readonly source: CopySource;
  readonly copy: CandidateCopy;
  readonly target: Digest;
  readonly isManifest: boolean;
  readonly sink: Sink;
  readonly pace: Pace;
}

/** Why what came is of no use; undefined when it is right. */
async function pour({
  source: { source },
  copy,
  target,
  isManifest,
  sink,
  pace,
}: Pouring): Promise<string | undefined> {
  const { algorithm, hex } = splitDigest(target);
  const hash = createHash(algorithm);
  let length = 0;
  const content = source.content(copy.repository, copy.digest, isManifest ? "manifest" : "blob");
  const pieces = content[Symbol.asyncIterator]();
  for (;;) {
    // Only a fault of the source is a reason to ask another; a full disk is one for all.
    const next = await pieces.next().catch((error: unknown) => ({ fault: describeError(error) }));
    if ("fault" in next) return `does not give it: ${next.fault}`;
    if (next.done) break;
    length += next.value.byteLength;
    if (length > copy.sizeBytes) {
      await pieces.return?.();
      return `gives more than the ${copy.sizeBytes} bytes that it promised`;
    }
    hash.update(next.value);
    await sink.write(next.value);
    await pace(next.value.byteLength);
  }
  if (length < copy.sizeBytes) return `gives ${length} bytes instead of ${copy.sizeBytes}`;
  return hash.digest("hex") === hex ? undefined : "gives other bytes than the digest stands for";
}

async function discard(sink: Sink, staged: string, effects: Effects): Promise<void> {
  await sink.abandon().catch(() => {});
  await effects.removeFile(staged).catch(() => {});
}
