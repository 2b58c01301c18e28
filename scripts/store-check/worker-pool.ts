import { isMainThread, workerData } from "node:worker_threads";
import type { RegistryMode } from "../../contract/finding.ts";
import { type DiskSource, diskSource } from "../source/disk/registry.ts";
import type { Share } from "../source/source.ts";
import { checkRepository, memoizeManifests, type RepositoryCheck } from "./check-repository.ts";
import { blobsIn, type Inventory, joinInventories, listBlobs } from "./inventory.ts";
import { chunksOf, serveTasks, shareOut, startThreads } from "./threads.ts";

/**
 * Threads that read one store side by side. A store is tiny files, so the time goes into system calls, and one thread
 * makes them one after the other.
 */
export interface WorkerPool {
  readonly listBlobs: () => Promise<Inventory>;
  /** Checks repositories; `onCheck` gets each, in the order in which they end. */
  readonly checkRepositories: (
    names: readonly string[],
    inventory: Inventory,
    onCheck: (check: RepositoryCheck) => void,
  ) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Repositories that a thread is given at a time. */
const repositoriesAtATime = 16;

/** What a thread works on, from its start to its end. */
interface Assignment {
  readonly mark: typeof assignmentMark;
  readonly name: string;
  readonly dataDirectory: string;
  readonly mode: RegistryMode;
}

type Task =
  | { readonly task: "list"; readonly share: Share }
  | { readonly task: "know"; readonly inventory: Inventory }
  | { readonly task: "check"; readonly names: readonly string[] };

type Answer = Inventory | readonly RepositoryCheck[] | null;

const assignmentMark = "regwarden-scan-worker";

/** `heapBytes`: what the objects of one thread may take. */
export function startWorkerPool(
  { name, dataDirectory }: DiskSource,
  mode: RegistryMode,
  limits: { readonly threads: number; readonly heapBytes: number },
): WorkerPool {
  const assignment: Assignment = { mark: assignmentMark, name, dataDirectory, mode };
  // In the bundle this very file is the whole program, which sees below that it runs as a thread.
  const threads = startThreads<Task, Answer>(import.meta.filename, assignment, limits);
  const all = Array.from({ length: threads.count }, (_, thread) => thread);
  return {
    listBlobs: async () => {
      const list = (index: number) =>
        threads.ask(index, { task: "list", share: { index, count: threads.count } });
      return joinInventories((await Promise.all(all.map(list))) as Inventory[]);
    },
    checkRepositories: async (names, inventory, onCheck) => {
      await Promise.all(all.map((thread) => threads.ask(thread, { task: "know", inventory })));
      await shareOut(threads, chunksOf(names, repositoriesAtATime), async (thread, chunk) =>
        ((await threads.ask(thread, { task: "check", names: chunk })) as RepositoryCheck[]).forEach(onCheck),
      );
    },
    stop: threads.stop,
  };
}

/** The work of a thread: one task after the other. */
function serve({ name, dataDirectory, mode }: Assignment): void {
  const source = diskSource(name, dataDirectory);
  const manifest = memoizeManifests(source);
  let blob: ReturnType<typeof blobsIn> = () => ({ state: "missing" });
  serveTasks<Task, Answer>(async (task) => {
    if (task.task === "list") return listBlobs(source, () => {}, task.share);
    if (task.task === "know") {
      blob = blobsIn(task.inventory);
      return null;
    }
    const checks: RepositoryCheck[] = [];
    for (const repository of task.names)
      checks.push(await checkRepository(source, mode, repository, { manifest, blob }));
    return checks;
  });
}

function isAssignment(data: unknown): data is Assignment {
  return typeof data === "object" && data !== null && "mark" in data && data.mark === assignmentMark;
}

if (!isMainThread && isAssignment(workerData)) serve(workerData);
