import { isMainThread, workerData } from "node:worker_threads";
import { estimateBlobs } from "../source/disk/blob.ts";
import { type DiskSource, diskSource } from "../source/disk/registry.ts";
import type { Share } from "../source/source.ts";
import { type Inventory, joinInventories, listBlobs } from "../store-check/inventory.ts";
import { heapOfThread, memoryLimit, requireMemory } from "../store-check/memory.ts";
import { chunksOf, serveTasks, shareOut, startThreads, usefulThreads } from "../store-check/threads.ts";
import type { BlobFlags } from "./blob-flags.ts";
import {
  createRepositoryMarker,
  type MarkedRepository,
  type MarkRules,
  type RepositoryTask,
} from "./repository-marker.ts";
import { type UnneededBlob, unneededBlobs } from "./sweep-table.ts";

/** How the steps of a mark are done: here, or on several threads. */
export interface MarkEngine {
  readonly listBlobs: (onBlob: () => void) => Promise<Inventory>;
  /** `onMark` gets each repository, in the order in which they end. */
  readonly markRepositories: (
    tasks: readonly RepositoryTask[],
    work: MarkWork,
    onMark: (mark: MarkedRepository) => void,
  ) => Promise<void>;
  readonly unneededBlobs: (work: MarkWork) => Promise<readonly UnneededBlob[]>;
  readonly stop: () => Promise<void>;
}

/** What all repositories are marked by. */
export interface MarkWork {
  readonly inventory: Inventory;
  readonly flags: BlobFlags;
  readonly rules: MarkRules;
}

/** From this many blobs on, threads take less time than their start. */
const blobsOfLargeStore = 10_000;

/** Repositories that a thread is given at a time. */
const repositoriesAtATime = 16;

/** `given`: threads that are used whatever the size of the store. Errors: E_OUT_OF_MEMORY. */
export function createMarkEngine(source: DiskSource, given?: number): MarkEngine {
  const blobs = estimateBlobs(source.dataDirectory);
  const threads = given ?? (blobs >= blobsOfLargeStore ? usefulThreads() : 0);
  const need = { registry: source.name, blobs, threads };
  const limit = memoryLimit();
  requireMemory(need, limit);
  return threads === 0
    ? inlineEngine(source)
    : threadEngine(source, { threads, heapBytes: heapOfThread(need, limit) });
}

function inlineEngine(source: DiskSource): MarkEngine {
  return {
    listBlobs: (onBlob) => listBlobs(source, onBlob),
    markRepositories: async (tasks, { rules, inventory, flags }, onMark) => {
      const mark = createRepositoryMarker(source, rules, inventory, flags);
      for (const task of tasks) onMark(await mark(task));
    },
    unneededBlobs: async ({ inventory, flags }) =>
      inventory.tables.flatMap((_, position) =>
        unneededBlobs(source.dataDirectory, inventory, flags, position),
      ),
    stop: async () => {},
  };
}

/** What a thread works on, from its start to its end. */
interface Assignment {
  readonly mark: typeof assignmentMark;
  readonly name: string;
  readonly dataDirectory: string;
}

type Task =
  | { readonly task: "list"; readonly share: Share }
  | { readonly task: "know"; readonly work: MarkWork }
  | { readonly task: "mark"; readonly tasks: readonly RepositoryTask[] }
  | { readonly task: "unneeded"; readonly position: number };

type Answer = Inventory | readonly MarkedRepository[] | readonly UnneededBlob[] | null;

const assignmentMark = "regwarden-mark-worker";

function threadEngine(
  { name, dataDirectory }: DiskSource,
  limits: { readonly threads: number; readonly heapBytes: number },
): MarkEngine {
  const assignment: Assignment = { mark: assignmentMark, name, dataDirectory };
  // In the bundle this very file is the whole program, which sees below that it runs as a thread.
  const threads = startThreads<Task, Answer>(import.meta.filename, assignment, limits);
  const onAll = <T>(work: (thread: number) => Promise<T>) =>
    Promise.all(Array.from({ length: threads.count }, (_, thread) => work(thread)));
  return {
    listBlobs: async () => {
      const { count } = threads;
      const shares = await onAll((index) => threads.ask(index, { task: "list", share: { index, count } }));
      return joinInventories(shares as Inventory[]);
    },
    markRepositories: async (tasks, work, onMark) => {
      await onAll((thread) => threads.ask(thread, { task: "know", work }));
      await shareOut(threads, chunksOf(tasks, repositoriesAtATime), async (thread, chunk) => {
        const marks = await threads.ask(thread, { task: "mark", tasks: chunk });
        (marks as MarkedRepository[]).forEach(onMark);
      });
    },
    unneededBlobs: async ({ inventory }) => {
      const found: UnneededBlob[][] = [];
      const positions = inventory.tables.map((_, position) => position);
      await shareOut(threads, positions, async (thread, position) => {
        found.push((await threads.ask(thread, { task: "unneeded", position })) as UnneededBlob[]);
      });
      return found.flat();
    },
    stop: threads.stop,
  };
}

/** The work of a thread. */
function serve({ name, dataDirectory }: Assignment): void {
  const source = diskSource(name, dataDirectory);
  let known:
    | { readonly work: MarkWork; readonly mark: ReturnType<typeof createRepositoryMarker> }
    | undefined;
  serveTasks<Task, Answer>(async (task) => {
    if (task.task === "list") return listBlobs(source, () => {}, task.share);
    if (task.task === "know") {
      const { rules, inventory, flags } = task.work;
      known = { work: task.work, mark: createRepositoryMarker(source, rules, inventory, flags) };
      return null;
    }
    if (!known) throw new Error("a thread of the mark was asked before it knew the store");
    const { work, mark } = known;
    if (task.task === "unneeded")
      return unneededBlobs(dataDirectory, work.inventory, work.flags, task.position);
    const marks: MarkedRepository[] = [];
    for (const one of task.tasks) marks.push(await mark(one));
    return marks;
  });
}

function isAssignment(data: unknown): data is Assignment {
  return typeof data === "object" && data !== null && "mark" in data && data.mark === assignmentMark;
}

if (!isMainThread && isAssignment(workerData)) serve(workerData);
