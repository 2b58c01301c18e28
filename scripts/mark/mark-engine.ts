import { setImmediate as turn } from "node:timers/promises";
import { isMainThread, workerData } from "node:worker_threads";
import { collect } from "../source/bounded.ts";
import { estimateBlobs } from "../source/disk/blob.ts";
import { type DiskSource, diskSource } from "../source/disk/registry.ts";
import type { Share } from "../source/source.ts";
import { type Inventory, joinInventories } from "../store-check/inventory.ts";
import { heapOfThread, memoryLimit, requireMemory } from "../store-check/memory.ts";
import {
  chunksOf,
  serveTasks,
  shareOut,
  startThreads,
  type Threads,
  usefulThreads,
} from "../store-check/threads.ts";
import { createBlobFlags } from "./blob-flags.ts";
import { createMarkWorker, type MarkWork, type MarkWorker, type Presence } from "./mark-work.ts";
import type { MarkedRepository, RepositoryTask } from "./repository-marker.ts";
import type { UnneededBlob } from "./sweep-table.ts";

/** How the steps of a mark are done: here, or on several threads. */
export interface MarkEngine {
  readonly listBlobs: () => Promise<Inventory>;
  /** `onMark` gets each repository, in the order in which they end. */
  readonly markRepositories: (
    tasks: readonly RepositoryTask[],
    work: MarkWork,
    onMark: (mark: MarkedRepository) => void,
  ) => Promise<void>;
  readonly unneededBlobs: (work: MarkWork) => Promise<readonly UnneededBlob[]>;
  /**
   * Names of the repositories that may lack something now, after a collection: of all others it is sure that they do not.
   * Those that cannot be listed are left out.
   */
  readonly suspects: () => Promise<readonly string[]>;
  readonly stop: () => Promise<void>;
}

/** Engines of several stores, which last from the marks to the proofs: a manifest that was read is known then. */
export interface MarkEngines {
  readonly of: (source: DiskSource) => MarkEngine;
  readonly stop: () => Promise<void>;
}

export function createMarkEngines(threads?: number): MarkEngines {
  const engines = new Map<string, MarkEngine>();
  return {
    of: (source) => {
      const engine = engines.get(source.dataDirectory) ?? createMarkEngine(source, threads);
      engines.set(source.dataDirectory, engine);
      return engine;
    },
    stop: async () => {
      await Promise.all([...engines.values()].map((engine) => engine.stop()));
    },
  };
}

/** From this many blobs on, threads take less time than their start. */
const blobsOfLargeStore = 10_000;

/** Repositories that a thread is given at a time. */
const repositoriesAtATime = 16;

/** `given`: threads that are used whatever the size of the store. Errors: E_OUT_OF_MEMORY. */
function createMarkEngine(source: DiskSource, given?: number): MarkEngine {
  const blobs = estimateBlobs(source.dataDirectory);
  const threads = given ?? (blobs >= blobsOfLargeStore ? usefulThreads() : 0);
  const need = { registry: source.name, blobs, threads };
  const limit = memoryLimit();
  requireMemory(need, limit);
  const workers =
    threads === 0
      ? inlineWorkers(source)
      : sharedWorkers(source, { threads, heapBytes: heapOfThread(need, limit) });
  return engineOf(source, workers);
}

/** The worker of each share, whose answers may come later. */
type Workers = Threads<Task, Answer>;

function engineOf(source: DiskSource, workers: Workers): MarkEngine {
  const { count } = workers;
  const onAll = <T>(work: (thread: number, share: Share) => Promise<T>) =>
    Promise.all(Array.from({ length: count }, (_, index) => work(index, { index, count })));
  const markedBy = new Map<string, number>();
  let inventory: Inventory | undefined;
  const listBlobs = async () => {
    const shares = await onAll((thread, share) => workers.ask(thread, { task: "list", share }));
    return joinInventories(shares as Inventory[]);
  };
  return {
    listBlobs,
    markRepositories: async (tasks, work, onMark) => {
      inventory = work.inventory;
      await onAll((thread) => workers.ask(thread, { task: "know", work }));
      await shareOut(workers, chunksOf(tasks, repositoriesAtATime), async (thread, chunk) => {
        for (const { repository } of chunk) markedBy.set(repository, thread);
        const marks = await workers.ask(thread, { task: "mark", tasks: chunk });
        (marks as readonly MarkedRepository[]).forEach(onMark);
      });
    },
    unneededBlobs: async (work) => {
      const found: UnneededBlob[][] = [];
      const positions = work.inventory.tables.map((_, position) => position);
      await shareOut(workers, positions, async (thread, position) => {
        found.push((await workers.ask(thread, { task: "unneeded", position })) as UnneededBlob[]);
      });
      return found.flat();
    },
    suspects: async () => {
      inventory ??= await listBlobs();
      const presence: Presence = { inventory, present: createBlobFlags(inventory) };
      await onAll((thread, share) => workers.ask(thread, { task: "present", share, presence }));
      const listed = await collect(source.repositories());
      const names = listed.flatMap((fact) => (fact.state === "found" ? [fact.name] : []));
      // Its thread has read its manifests.
      const ofThread = Map.groupBy(names, (name) => markedBy.get(name) ?? 0);
      const answers = await onAll((thread) =>
        workers.ask(thread, { task: "suspects", repositories: ofThread.get(thread) ?? [], presence }),
      );
      return answers.flat() as string[];
    },
    stop: workers.stop,
  };
}

type Task =
  | { readonly task: "list"; readonly share: Share }
  | { readonly task: "know"; readonly work: MarkWork }
  | { readonly task: "mark"; readonly tasks: readonly RepositoryTask[] }
  | { readonly task: "unneeded"; readonly position: number }
  | { readonly task: "present"; readonly share: Share; readonly presence: Presence }
  | { readonly task: "suspects"; readonly repositories: readonly string[]; readonly presence: Presence };

type Answer = Inventory | readonly MarkedRepository[] | readonly UnneededBlob[] | readonly string[] | null;

async function perform(worker: MarkWorker, task: Task): Promise<Answer> {
  switch (task.task) {
    case "list":
      return worker.list(task.share);
    case "know":
      worker.know(task.work);
      return null;
    case "mark":
      return worker.mark(task.tasks);
    case "unneeded":
      return worker.unneeded(task.position);
    case "present":
      worker.flagPresent(task.share, task.presence);
      return null;
    case "suspects":
      return worker.suspects(task.repositories, task.presence);
  }
}

function inlineWorkers(source: DiskSource): Workers {
  const worker = createMarkWorker(source);
  return { count: 1, ask: (_, task) => perform(worker, task), stop: async () => {} };
}

/**
 * This thread is one of them: its code is compiled already, and what it finds need not be copied. Between repositories it
 * hears what the others have done.
 */
function sharedWorkers(
  source: DiskSource,
  limits: { readonly threads: number; readonly heapBytes: number },
): Workers {
  const others = startedWorkers(source, { ...limits, threads: limits.threads - 1 });
  const own = createMarkWorker(source, turn);
  return {
    count: limits.threads,
    ask: (thread, task) => (thread < others.count ? others.ask(thread, task) : perform(own, task)),
    stop: others.stop,
  };
}

/** What a thread works on, from its start to its end. */
interface Assignment {
  readonly mark: typeof assignmentMark;
  readonly name: string;
  readonly dataDirectory: string;
}

const assignmentMark = "regwarden-mark-worker";

function startedWorkers(
  { name, dataDirectory }: DiskSource,
  limits: { readonly threads: number; readonly heapBytes: number },
): Workers {
  const assignment: Assignment = { mark: assignmentMark, name, dataDirectory };
  // In the bundle this very file is the whole program, which sees below that it runs as a thread.
  return startThreads<Task, Answer>(import.meta.filename, assignment, limits);
}

/** The work of a thread. */
function serve({ name, dataDirectory }: Assignment): void {
  const worker = createMarkWorker(diskSource(name, dataDirectory));
  serveTasks<Task, Answer>((task) => perform(worker, task));
}

function isAssignment(data: unknown): data is Assignment {
  return typeof data === "object" && data !== null && "mark" in data && data.mark === assignmentMark;
}

if (!isMainThread && isAssignment(workerData)) serve(workerData);
