import type { Digest } from "../registry/digest.ts";
import { blobsPath } from "../registry/paths.ts";
import { isUnreadable, listNames } from "../source/disk/files.ts";
import type { DiskSource } from "../source/disk/registry.ts";
import type { Share } from "../source/source.ts";
import { type Inventory, listBlobs } from "../store-check/inventory.ts";
import { type BlobFlags, flagBlob, flagsOf } from "./blob-flags.ts";
import { createManifestMemo } from "./manifest-memo.ts";
import { lacksNothing } from "./names-check.ts";
import {
  createRepositoryMarker,
  type MarkedRepository,
  type MarkRules,
  type RepositoryTask,
} from "./repository-marker.ts";
import { type UnneededBlob, unneededBlobs } from "./sweep-table.ts";

/** What all repositories are marked by. */
export interface MarkWork {
  readonly inventory: Inventory;
  readonly flags: BlobFlags;
  readonly rules: MarkRules;
}

/** The blobs whose directories are there now: a byte of each that the inventory has. */
export interface Presence {
  readonly inventory: Inventory;
  readonly present: BlobFlags;
}

/** The steps of a mark, and of the check after a collection, for one share of a store. */
export interface MarkWorker {
  readonly list: (share: Share) => Promise<Inventory>;
  /** What is marked by from now on. */
  readonly know: (work: MarkWork) => void;
  readonly mark: (tasks: readonly RepositoryTask[]) => Promise<readonly MarkedRepository[]>;
  /** Of one table. */
  readonly unneeded: (position: number) => readonly UnneededBlob[];
  readonly flagPresent: (share: Share, presence: Presence) => void;
  /** Those of which it is not sure that nothing is missing. */
  readonly suspects: (repositories: readonly string[], presence: Presence) => readonly string[];
}

/** `rest`: waited for after each repository. */
export function createMarkWorker(source: DiskSource, rest?: () => Promise<unknown>): MarkWorker {
  const { dataDirectory } = source;
  const manifest = createManifestMemo(dataDirectory);
  let known:
    | { readonly work: MarkWork; readonly mark: ReturnType<typeof createRepositoryMarker> }
    | undefined;
  const knowledge = () => {
    if (!known) throw new Error("a mark was begun before the store's blobs were listed");
    return known;
  };
  return {
    list: (share) => listBlobs(source, () => {}, share),
    know: (work) => {
      const { rules, inventory, flags } = work;
      known = { work, mark: createRepositoryMarker(source, rules, { inventory, flags, manifest }) };
    },
    mark: async (tasks) => {
      const marks: MarkedRepository[] = [];
      for (const task of tasks) {
        marks.push(await knowledge().mark(task));
        await rest?.();
      }
      return marks;
    },
    unneeded: (position) => {
      const { inventory, flags } = knowledge().work;
      return unneededBlobs(dataDirectory, inventory, flags, position);
    },
    flagPresent: (share, presence) => flagPresent(dataDirectory, share, presence),
    suspects: (repositories, { inventory, present }) => {
      const hasBlob = (digest: Digest) => (flagsOf(inventory, present, digest) ?? 0) > 0;
      const check = { dataDirectory, manifest, hasBlob };
      return repositories.filter((repository) => !lacksNothing(repository, check));
    },
  };
}

/** What cannot be listed is not flagged. */
function flagPresent(dataDirectory: string, { index, count }: Share, { inventory, present }: Presence): void {
  const base = `${blobsPath(dataDirectory)}/sha256`;
  const prefixes = listNames(base);
  if (isUnreadable(prefixes)) return;
  for (const [position, prefix] of prefixes.toSorted().entries()) {
    const names = position % count === index ? listNames(`${base}/${prefix}`) : [];
    if (!isUnreadable(names))
      for (const hex of names) if (hex.startsWith(prefix)) flagBlob(inventory, present, `sha256:${hex}`, 1);
  }
}
