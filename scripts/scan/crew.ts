import { once } from "node:events";
import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import type { RegistryMode } from "../../contract/scan-report.ts";
import { type DiskSource, diskSource } from "../source/disk/registry.ts";
import type { Share } from "../source/source.ts";
import {
  type BlobList,
  blobsIn,
  type Inventory,
  joinBlobLists,
  type KnownBlobs,
  listBlobs,
} from "./inventory.ts";
import { type Judgement, judgeRepository } from "./judge-repository.ts";
import { createManifestCache } from "./manifest-cache.ts";

/**
 * Threads that read one store side by side. A store is tiny files, so what takes the time is system calls and their
 * way through one thread.
 */
export interface Crew {
  readonly takeInventory: () => Promise<Inventory>;
  /** Judges repositories, telling of each, in the order in which they end. */
  readonly judge: (
    names: readonly string[],
    inventory: Inventory,
    tell: (judgement: Judgement) => void,
  ) => Promise<void>;
  readonly dismiss: () => Promise<void>;
}

/** More do not help: the kernel's locks, or the disk, are the limit then. */
const threadLimit = 4;

/** What a thread leaves behind is collected soon: several that let it pile up would not fit into the container. */
const resourceLimits = { maxYoungGenerationSizeMb: 12 };

/** Repositories that a thread is given at a time. */
const repositoriesAtATime = 16;

interface Assignment {
  readonly mark: typeof assignmentMark;
  readonly name: string;
  readonly dataDirectory: string;
  readonly mode: RegistryMode;
}

type Task =
  | { readonly task: "list"; readonly share: Share }
  | { readonly task: "know"; readonly known: KnownBlobs }
  | { readonly task: "judge"; readonly names: readonly string[] };

type Answer = BlobList | readonly Judgement[] | null;

const assignmentMark = "regwarden-scan-crew";

/** As many threads as there are processors, if they are worth their start; undefined on a machine with one. */
export function hireCrew(source: DiskSource, mode: RegistryMode): Crew | undefined {
  const count = Math.min(availableParallelism(), threadLimit);
  return count < 2 ? undefined : startCrew(source, mode, count);
}

export function startCrew({ name, dataDirectory }: DiskSource, mode: RegistryMode, count: number): Crew {
  const assignment: Assignment = { mark: assignmentMark, name, dataDirectory, mode };
  // In the bundle this very file is the whole program, which sees below that it is a thread's.
  const hire = () => new Worker(import.meta.filename, { workerData: assignment, resourceLimits });
  const workers = Array.from({ length: count }, hire);
  return {
    takeInventory: async () => {
      const list = (worker: Worker, index: number) => ask(worker, { task: "list", share: { index, count } });
      return joinBlobLists((await Promise.all(workers.map(list))) as BlobList[]);
    },
    judge: async (names, { known }, tell) => {
      const chunks = chunksOf(names).values();
      const work = async (worker: Worker) => {
        await ask(worker, { task: "know", known });
        for (const chunk of chunks)
          ((await ask(worker, { task: "judge", names: chunk })) as Judgement[]).forEach(tell);
      };
      await Promise.all(workers.map(work));
    },
    dismiss: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

function chunksOf(names: readonly string[]): readonly (readonly string[])[] {
  const count = Math.ceil(names.length / repositoriesAtATime);
  return Array.from({ length: count }, (_, chunk) =>
    names.slice(chunk * repositoriesAtATime, (chunk + 1) * repositoriesAtATime),
  );
}

/** Errors: what ended the thread, whether it says so or just ends: it will never answer. */
async function ask(worker: Worker, task: Task): Promise<Answer> {
  const over = new AbortController();
  const answered = once(worker, "message", { signal: over.signal });
  const end = () => over.abort();
  worker.once("exit", end);
  worker.postMessage(task);
  try {
    const [answer] = (await answered) as [Answer];
    return answer;
  } catch (cause) {
    throw new Error("a thread of the scan ended before its work did", { cause });
  } finally {
    worker.off("exit", end);
  }
}

/** The work of a thread: one task after the other. */
function serve({ name, dataDirectory, mode }: Assignment): void {
  const source = diskSource(name, dataDirectory);
  const manifest = createManifestCache(source);
  let blob: Inventory["blob"] = () => ({ state: "missing" });
  const perform = async (task: Task): Promise<Answer> => {
    if (task.task === "list") return listBlobs(source, () => {}, task.share);
    if (task.task === "know") {
      blob = blobsIn(task.known);
      return null;
    }
    const judgements: Judgement[] = [];
    for (const repository of task.names)
      judgements.push(await judgeRepository(source, mode, repository, { manifest, blob }));
    return judgements;
  };
  parentPort?.on("message", async (task: Task) => {
    parentPort?.postMessage(await perform(task));
  });
}

function isAssignment(data: unknown): data is Assignment {
  return typeof data === "object" && data !== null && "mark" in data && data.mark === assignmentMark;
}

if (!isMainThread && isAssignment(workerData)) serve(workerData);
