import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "../cli/errors.ts";
import { exists, type Ownership, requireInStore, statOf } from "./paths.ts";
import { nameInJournal, type OpenRun } from "./run-directory.ts";

/** Makes a directory of a store and what is missing above it, like its neighbours or as given. */
export async function makeDirectories(path: string, run: OpenRun, given?: Ownership): Promise<void> {
  if (await exists(path)) return;
  await requireInStore(path, run.stores);
  const parent = dirname(path);
  await makeDirectories(parent, run);
  const like = given ?? (await stat(parent));
  await run.journal.record({ did: "made-directory", path: nameInJournal(path, run) });
  try {
    await run.effects.makeDirectory(path, like);
  } catch (error) {
    if (systemCode(error) !== "EEXIST" || !(await stat(path)).isDirectory()) throw error;
    // A push has made it meanwhile, so it is not ours to remove.
    await run.journal.record({ did: "nothing", path: nameInJournal(path, run) });
  }
  await run.effects.syncDirectory(parent);
}

/** Whether a directory of a store was empty, and so removed. */
export async function removeEmpty(path: string, run: OpenRun): Promise<boolean> {
  const { effects, journal } = run;
  await requireInStore(path, run.stores);
  const found = await statOf(path);
  if (!found) return false;
  const { uid, gid, mode } = found;
  await journal.record({ did: "removed-directory", path: nameInJournal(path, run), uid, gid, mode });
  try {
    await effects.removeDirectory(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT" && systemCode(error) !== "ENOTEMPTY") throw error;
    await journal.record({ did: "nothing", path: nameInJournal(path, run) });
    return false;
  }
  await effects.syncDirectory(dirname(path));
  return true;
}
