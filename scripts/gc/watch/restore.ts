import { ProgramError } from "../../cli/errors.ts";
import { discoverRegistries } from "../../source/disk/registry.ts";
import type { Effects } from "../../store-change/effects.ts";
import { withStoreLocks } from "../../store-change/store-lock.ts";
import { contentsOf, type Quarantined, type QuarantineIndex } from "../quarantine/contents.ts";
import { allOf, neededFor } from "../quarantine/needed.ts";
import { putBack } from "../quarantine/put-back.ts";
import type { LiveIndex } from "./live-index.ts";
import type { Wanted } from "./wanted.ts";

export interface RestoreScope {
  readonly directory: string;
  readonly live: LiveIndex;
  readonly effects: Effects;
}

/** What was put back, and for what. */
export interface Restored {
  readonly things: readonly Quarantined[];
  readonly reason: string;
}

/**
 * Puts back what a client wants of the quarantine, with all that it needs. Undefined: nothing of it is there.
 *
 * Errors: E_STORE_LOCKED while another run is at work in the stores; E_STORE_UNWRITABLE.
 */
export async function restoreWanted(wanted: Wanted, scope: RestoreScope): Promise<Restored | undefined> {
  const stores = await storesOf(scope);
  const find = async () => thingsFor(wanted, stores, (await scope.live.read()).index);
  const things = await restore(find, stores, scope);
  return things.length > 0 ? { things, reason: `a client got ${wanted.request}` } : undefined;
}

/**
 * Puts back what a run moved that was cut off, and so has not checked that it left everything complete.
 *
 * Errors: as of {@link restoreWanted}.
 */
export async function restoreCutOff(scope: RestoreScope): Promise<Restored | undefined> {
  const find = async () => {
    const { runs } = await scope.live.read();
    return runs.filter(({ isFinished }) => !isFinished).flatMap((run) => contentsOf(run, scope.directory));
  };
  const things = await restore(find, await storesOf(scope), scope);
  return things.length > 0 ? { things, reason: "a collection was cut off" } : undefined;
}

async function restore(
  find: () => Promise<readonly Quarantined[]>,
  stores: readonly string[],
  { directory, effects }: RestoreScope,
): Promise<readonly Quarantined[]> {
  // The lock is taken for what is there alone: nearly all requests that fail have nothing to do with it.
  const found = await find();
  const touched = stores.filter((store) => found.some(({ path }) => path.startsWith(`${store}/`)));
  if (touched.length === 0) return [];
  return withStoreLocks(touched, async () => {
    // Meanwhile another run may have put it back.
    const things = (await find()).filter(({ path }) => touched.some((store) => path.startsWith(`${store}/`)));
    return (await putBack(things, { directory, stores, effects })).done;
  });
}

/** The log is that of one registry; which store is its, only the repository shows. */
function thingsFor(
  { repository, digest, time }: Wanted,
  stores: readonly string[],
  index: QuarantineIndex,
): readonly Quarantined[] {
  if (index.size === 0) return [];
  const things = stores.flatMap((dataDirectory) => {
    const home = { dataDirectory, repository };
    return digest === null ? allOf(home, index) : neededFor(home, digest, index);
  });
  return things.filter(({ run }) => time >= run.begunAt);
}

async function storesOf({ directory }: RestoreScope): Promise<readonly string[]> {
  const { sources } = await discoverRegistries(directory);
  return sources.map(({ dataDirectory }) => dataDirectory);
}

/** Whether it is worth waiting, because a collection is at work. */
export function isLocked(error: unknown): boolean {
  return error instanceof ProgramError && error.code === "E_STORE_LOCKED";
}
