import { join, resolve } from "node:path";
import type { RetainProblem } from "../../contract/retain-report.ts";
import { describeError, ProgramError, systemCode } from "../cli/errors.ts";
import { watchInterruption } from "../cli/interruption.ts";
import type { Terminal } from "../cli/terminal.ts";
import { ownDirectory, tagsPath } from "../registry/paths.ts";
import { isUnreadable, listNames } from "../source/disk/files.ts";
import { readLink } from "../source/disk/link.ts";
import type { Effects } from "../store-change/effects.ts";
import type { Move } from "../store-change/move-files.ts";
import { closeRun, openRun, runTime } from "../store-change/run-directory.ts";
import { createStoreWriter } from "../store-change/store-writer.ts";
import { requireNotServed } from "../write-freeze/not-served.ts";
import type { WriteFreeze } from "../write-freeze/write-freeze.ts";
import { findMissing } from "./find-missing.ts";
import { moveWhileHeld } from "./move-while-held.ts";
import { type RegistryPlan, tagsToDrop } from "./plan.ts";
import type { Tag } from "./tag.ts";

/** Where what runs have moved out of the stores lies, in a directory for each run. */
export const retainedDirectory = join(ownDirectory, "retained");

/** Key of the journal's note that lists the tags whose images were not complete. */
export const brokenNote = "broken";

export interface Applied {
  /** Directory of the run; null when nothing was moved. */
  readonly run: string | null;
  /** How many tags of each registry were moved. */
  readonly moved: ReadonlyMap<string, number>;
  readonly stayed: readonly { readonly registry: string; readonly tag: string; readonly text: string }[];
  /** For registries of which tags are left because writes could not be held. */
  readonly refused: readonly RetainProblem[];
  /** Of the longest time for which writes were held; null: they were not. */
  readonly freezeSeconds: number | null;
  /** The signal that ended the run before its end. */
  readonly stoppedBy: string | undefined;
}

interface Scope {
  readonly directory: string;
  readonly effects: Effects;
  readonly now: number;
  /** No program is to serve the stores. */
  readonly offline: boolean;
  /** How writes are held meanwhile; null: they are not. */
  readonly hold: WriteFreeze | null;
  readonly terminal: Terminal;
}

interface Drop extends Move {
  readonly registry: string;
  /** REPOSITORY:TAG */
  readonly label: string;
}

/**
 * Moves the directories of the tags that go out of the stores. Each link is read again right before and after: what a push
 * has written meanwhile stays, or comes back.
 *
 * Errors: E_CONFIGURATION when a store is served that should not be, and those of `openRun`, before anything is changed;
 * E_STORE_UNWRITABLE when the file system refuses.
 */
export async function applyPlans(
  plans: readonly RegistryPlan[],
  { directory: given, offline, effects, now, hold, terminal }: Scope,
  onMoved: (count: number, all: number) => void,
): Promise<Applied> {
  const changed = plans.filter((plan) => tagsToDrop(plan).length > 0);
  if (changed.length === 0)
    return {
      run: null,
      moved: new Map(),
      stayed: [],
      refused: [],
      freezeSeconds: null,
      stoppedBy: undefined,
    };
  if (offline) await requireNotServed(changed.map(({ source }) => source.dataDirectory));
  const directory = resolve(given);
  const name = runTime(new Date(now));
  const broken = await findBroken(changed);
  const interruption = watchInterruption();
  const run = await openRun({
    note: { [brokenNote]: broken },
    directory,
    workDirectory: join(directory, retainedDirectory, name),
    stores: changed.map(({ source }) => source.dataDirectory),
    effects,
  });
  const writer = createStoreWriter(run);
  const drops = changed.flatMap((plan) => dropsOf(plan, now, writer.movedPath));
  const moved = new Map<string, number>();
  const stayed: { registry: string; tag: string; text: string }[] = [];
  let done = 0;
  try {
    const { freezeSeconds, fault } = await moveWhileHeld(
      drops,
      { hold, terminal, interruption },
      async (batch) => {
        const refused = new Map((await writer.move(batch)).map(({ path, reason }) => [path, reason]));
        for (const { registry, label, from } of batch) {
          const text = refused.get(from);
          if (text === undefined) moved.set(registry, (moved.get(registry) ?? 0) + 1);
          else stayed.push({ registry, tag: label, text });
        }
        done += batch.length;
        onMoved(done, drops.length);
      },
    );
    return {
      run: moved.size > 0 ? run.workDirectory : null,
      moved,
      stayed,
      refused: fault ? notHeld(drops.slice(done), fault) : [],
      freezeSeconds,
      stoppedBy: done < drops.length && !fault ? interruption.signal() : undefined,
    };
  } catch (cause) {
    if (cause instanceof ProgramError || systemCode(cause) === undefined) throw cause;
    const message = `The run was cut off: ${describeError(cause)}. What was moved lies in ${run.workDirectory}; to put it back: regwarden retain ${given} --undo ${name} --apply`;
    throw new ProgramError("E_STORE_UNWRITABLE", message, { cause });
  } finally {
    interruption.dispose();
    await closeRun(run);
  }
}

/** The tags of each registry that are left. */
function notHeld(left: readonly Drop[], fault: ProgramError): readonly RetainProblem[] {
  const text = `${describeError(fault).replace(/\.$/, "")}. What was to go stays until the next run.`;
  return [...Map.groupBy(left, ({ registry }) => registry)].map(([registry, { length: tags }]) => ({
    registry,
    repository: null,
    reason: "freeze",
    tags,
    until: null,
    text,
  }));
}

/** Tags whose images are not complete, as REGISTRY/REPOSITORY:TAG: an undo does not wait for what was missing before. */
async function findBroken(plans: readonly RegistryPlan[]): Promise<readonly string[]> {
  const broken: string[] = [];
  for (const plan of plans)
    for (const [repository, { name, digest }] of tagsToDrop(plan))
      if ((await findMissing(plan.source, repository, digest)) !== undefined)
        broken.push(`${plan.source.name}/${repository}:${name}`);
  return broken;
}

function dropsOf(plan: RegistryPlan, now: number, movedPath: () => string): readonly Drop[] {
  const { name: registry, dataDirectory } = plan.source;
  return tagsToDrop(plan).map(([repository, tag]) => ({
    registry,
    label: `${repository}:${tag.name}`,
    from: join(tagsPath(dataDirectory, repository), tag.name),
    to: movedPath(),
    check: (path) => wasPushedSince(path, tag, now),
  }));
}

/** Clocks of the file system and of the system differ by a little. */
const clockToleranceMs = 2_000;

/**
 * Whether a push has written to the directory of a tag since the plan: to its link, or to the list of former manifests,
 * which comes first.
 *
 * Source: distribution v2.8.3, registry/storage/tagstore.go, Tag.
 */
function wasPushedSince(path: string, { digest, pushedAt }: Tag, plannedAt: number): string | undefined {
  const link = readLink(join(path, "current", "link"), { withTimes: true });
  if (link?.state !== "linked") return "changed since the plan: its link is of no use now";
  if (link.digest !== digest || link.modifiedAt !== pushedAt) return "was pushed since the plan";
  for (const algorithm of namesIn(join(path, "index")))
    for (const hex of namesIn(join(path, "index", algorithm))) {
      const former = readLink(join(path, "index", algorithm, hex, "link"), { withTimes: true });
      const writtenAt = former?.state === "linked" ? (former.modifiedAt ?? 0) : 0;
      // Only what is newer than the tag's own link: the clock may have been ahead when that was written.
      if (writtenAt > Math.max(plannedAt - clockToleranceMs, pushedAt)) return "is being pushed";
    }
  return undefined;
}

function namesIn(path: string): readonly string[] {
  const names = listNames(path);
  return isUnreadable(names) ? [] : names;
}
