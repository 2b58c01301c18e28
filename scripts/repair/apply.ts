import { join } from "node:path";
import { describeError, ProgramError, systemCode } from "../cli/errors.ts";
import { shortDigest } from "../registry/digest.ts";
import { blobDataPath, layersPath, linkDirectory, revisionsPath, tagLinkPath } from "../registry/paths.ts";
import { readLink } from "../source/disk/link.ts";
import type { Pace } from "../source/source.ts";
import { isSound, type VerifiedBlobs } from "../source/verified-blobs.ts";
import type { Effects } from "../store-change/effects.ts";
import { ownershipFor } from "../store-change/paths.ts";
import type { StoreWriter } from "../store-change/store-writer.ts";
import { changeKey, type PlannedChange } from "./change.ts";
import type { CopySource } from "./copy-source.ts";
import type { Plan, Step } from "./plan.ts";
import { stageBlob } from "./stage-blob.ts";

/** A store as it is written to. */
export interface Target {
  readonly dataDirectory: string;
  readonly verified: VerifiedBlobs;
}

export interface ApplyContext {
  readonly effects: Effects;
  readonly writer: StoreWriter;
  readonly sources: readonly CopySource[];
  readonly pace: Pace;
  readonly targetOf: (registry: string) => Target;
  readonly onChange: (made: number) => void;
  /** The signal that wants the work to end before the next step. */
  readonly interruption: () => string | undefined;
}

export interface Applied {
  readonly made: number;
  readonly failures: readonly string[];
  /** Whether the disk itself ended it. */
  readonly isStopped: boolean;
}

/**
 * Makes the steps of a plan, each after those that it needs. What is cut off leaves no link to anything incomplete.
 *
 * Errors: none; what could not be made is returned. A fault of the disk ends it, any other only what depends on it.
 */
export async function applyPlan({ steps }: Plan, context: ApplyContext): Promise<Applied> {
  const failed = new Set<number>();
  const failures: string[] = [];
  const done = new Set<string>();
  const onMade = (change: PlannedChange) => {
    done.add(changeKey(change));
    context.onChange(done.size);
  };
  for (const [position, step] of steps.entries()) {
    const signal = context.interruption();
    if (signal !== undefined) {
      failures.push(`${nameOf(step)} and what comes after it: stopped by ${signal}. Repair again to go on.`);
      return { made: done.size, failures, isStopped: true };
    }
    const lacks = step.needs.find((need) => failed.has(need));
    try {
      const changes = step.changes.filter((change) => !done.has(changeKey(change)));
      if (lacks === undefined) await applyStep({ ...step, changes }, context, onMade);
      else
        failures.push(
          `${nameOf(step)}: left as it is, because something below it could not be brought back.`,
        );
    } catch (error) {
      failures.push(`${nameOf(step)}: ${describeError(error)}`);
      failed.add(position);
      if (isFaultOfDisk(error)) return { made: done.size, failures, isStopped: true };
    }
    if (lacks !== undefined) failed.add(position);
  }
  return { made: done.size, failures, isStopped: false };
}

function nameOf({ registry, repository, changes }: Step): string {
  const last = changes.at(-1);
  return `${registry}: ${repository} ${last?.tag ?? shortDigest(last?.digest ?? "")}`;
}

/** What will not be better for the next file. */
function isFaultOfDisk(error: unknown): boolean {
  return !(error instanceof ProgramError) && systemCode(error) !== undefined;
}

async function applyStep(
  step: Step,
  context: ApplyContext,
  onMade: (change: PlannedChange) => void,
): Promise<void> {
  const target = context.targetOf(step.registry);
  const { writer, effects } = context;
  const staged: [PlannedChange, string][] = [];
  try {
    // All content first: when a layer cannot be had, the configuration is of no use either.
    for (const change of step.changes)
      if (change.kind === "blob") staged.push([change, await stage(change, target, context)]);
    for (const [change, path] of staged) {
      const { target: digest } = change;
      await writer.putStaged({ path: blobDataPath(target.dataDirectory, digest), staged: path, digest });
      onMade(change);
    }
  } catch (error) {
    for (const [, path] of staged) await effects.removeFile(path).catch(() => {});
    throw error;
  }
  await requireSound(step, target);
  for (const change of step.changes) {
    if (change.kind === "blob") continue;
    const path = linkPath(change, target.dataDirectory);
    await writer.putText(path, change.target, change.kind === "tag-link" ? leadsNowhere : undefined);
    onMade(change);
  }
}

async function stage(
  change: PlannedChange,
  { dataDirectory }: Target,
  context: ApplyContext,
): Promise<string> {
  const path = context.writer.stagingPath();
  const like = await ownershipFor(blobDataPath(dataDirectory, change.target));
  await stageBlob(change, path, like, context);
  return path;
}

/** Hashes what the links are to lead to, unless it is unchanged since it was hashed for the plan. */
async function requireSound({ holds }: Step, { verified }: Target): Promise<void> {
  for (const digest of holds) {
    if (!isSound(await verified(digest)))
      throw new ProgramError(
        "E_STORE_UNREADABLE",
        `${digest} is not sound any more; no link was written to it.`,
      );
  }
}

/** A push that comes while the repair is at work knows best what the tag means. */
async function leadsNowhere(path: string): Promise<boolean> {
  return readLink(path)?.state !== "linked";
}

function linkPath(change: PlannedChange, dataDirectory: string): string {
  const { kind, repository, tag, digest } = change;
  if (kind === "tag-link") return tagLinkPath(dataDirectory, repository, tag ?? "");
  const base = kind === "layer-link" ? layersPath : revisionsPath;
  return join(linkDirectory(base(dataDirectory, repository), digest), "link");
}
