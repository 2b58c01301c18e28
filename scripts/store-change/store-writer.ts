import { join } from "node:path";
import { digestOf } from "../registry/digest.ts";
import { makeDirectories, removeEmpty } from "./directories.ts";
import { type Move, moveAll, type NotDone } from "./move-files.ts";
import { type Ownership, ownershipFor } from "./paths.ts";
import { type MayReplace, putFile, type StagedFile } from "./put-file.ts";
import type { OpenRun } from "./run-directory.ts";

/**
 * Changes stores: journal first, then atomically, never outside of a store. The registry may be at work meanwhile: what a
 * push has just written is never replaced.
 */
export interface StoreWriter {
  /** A name in the staging area that is free. */
  readonly stagingPath: () => string;
  /** A name in the run's directory, free, for what is moved out of a store. */
  readonly movedPath: () => string;
  /** Writes a small text to a path of a store. Errors: E_STORE_UNWRITABLE when a push was faster. */
  readonly putText: (path: string, text: string, mayReplace?: MayReplace) => Promise<void>;
  /** Moves a staged file to a path of a store. Errors: as {@link StoreWriter.putText}. */
  readonly putStaged: (put: StagedFile) => Promise<void>;
  /** Moves files and whole directories out of a store or back, see {@link moveAll}; returns those that stay. */
  readonly move: (moves: readonly Move[]) => Promise<readonly NotDone[]>;
  /** Whether it was empty, and so removed. */
  readonly removeDirectory: (path: string) => Promise<boolean>;
  /** Makes a directory of a store and what is missing above it, like its neighbours or as given. */
  readonly makeDirectory: (path: string, like?: Ownership) => Promise<void>;
}

export function createStoreWriter(run: OpenRun): StoreWriter {
  let counter = 0;
  const moved = join(run.workDirectory, "moved");
  const nextName = () => {
    counter += 1;
    return String(counter);
  };
  const stagingPath = () => join(run.workDirectory, "staged", nextName());
  const putStaged = (put: StagedFile) => putFile(put, nextName, run);
  return {
    stagingPath,
    movedPath: () => `${moved}/${nextName()}`,
    putStaged,
    putText: async (path, text, mayReplace) => {
      const content = Buffer.from(text);
      const staged = stagingPath();
      const sink = await run.effects.createFile(staged, await ownershipFor(path));
      await sink.write(content);
      await sink.finish();
      await putStaged({ path, staged, digest: digestOf(content), mayReplace });
    },
    move: (moves) => moveAll(moves, run),
    removeDirectory: (path) => removeEmpty(path, run),
    makeDirectory: (path, like) => makeDirectories(path, run, like),
  };
}
