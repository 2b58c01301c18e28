import { setTimeout as delay } from "node:timers/promises";
import { type ExitCode, exitCodes } from "../../../contract/exit-codes.ts";
import { type LogTail, tailAccessLog } from "../../access-log/follow.ts";
import { describeError } from "../../cli/errors.ts";
import type { Terminal } from "../../cli/terminal.ts";
import type { Effects } from "../../store-change/effects.ts";
import { nameOfRun } from "../quarantine/runs.ts";
import { totalOf } from "../quarantine/totals.ts";
import { describeThings } from "../undo/table.ts";
import { createLiveIndex } from "./live-index.ts";
import { type Counter, openCounter } from "./metrics.ts";
import { isLocked, type Restored, type RestoreScope, restoreCutOff, restoreWanted } from "./restore.ts";
import { type Wanted, wantedBy } from "./wanted.ts";

export interface WatchOptions {
  readonly directory: string;
  readonly accessLogs: readonly string[];
  readonly metricsPath: string | undefined;
  /** Time between two looks into the log. @default 250 */
  readonly everyMs?: number;
}

/** How often the metrics say that the watch lives, and runs that were cut off are looked for. */
const heartbeatMs = 60_000;
/** Wanted things that wait for a lock. More are as good as none: a client that was refused asks again. */
const waitingAtMost = 10_000;

/** {@link watchUntil} a signal ends the process. */
export async function runGcWatch(
  options: WatchOptions,
  terminal: Terminal,
  effects: Effects,
): Promise<ExitCode> {
  const end = endOfProcess();
  try {
    await watchUntil(end.signal, options, terminal, effects);
    return exitCodes.clean;
  } finally {
    end.dispose();
  }
}

/**
 * Follows nginx's log, and puts back at once what a client wants of the quarantine. While a collection holds the lock, it
 * waits for its end.
 *
 * Errors: none but of the opening of the log; what fails later is said, and tried again.
 */
export async function watchUntil(
  end: AbortSignal,
  options: WatchOptions,
  terminal: Terminal,
  effects: Effects,
): Promise<void> {
  const { directory, everyMs = 250 } = options;
  const tails = await Promise.all(options.accessLogs.map((path) => tailAccessLog(path, "start")));
  const watch: Watch = {
    scope: { directory, live: createLiveIndex(directory, terminal.err), effects },
    tails,
    terminal,
    counter: await openCounter(options.metricsPath),
    waiting: [],
    faults: new Map(),
  };
  terminal.out(`Following ${options.accessLogs.join(", ")}: what a client misses is put back at once.\n`);
  let beatAt = Number.NEGATIVE_INFINITY;
  while (!end.aborted) {
    const isFirst = beatAt === Number.NEGATIVE_INFINITY;
    const isBeat = performance.now() - beatAt >= heartbeatMs;
    if (isBeat) beatAt = performance.now();
    await step(watch, { isFirst, isBeat });
    await delay(everyMs, undefined, { signal: end }).catch(() => {});
  }
  for (const tail of tails) await tail.close();
}

interface Watch {
  readonly scope: RestoreScope;
  readonly tails: readonly LogTail[];
  readonly terminal: Terminal;
  readonly counter: Counter;
  /** What could not be put back yet, the oldest first. */
  readonly waiting: Wanted[];
  /** The last fault of each kind of work, which is said once. */
  readonly faults: Map<string, string>;
}

/** `isFirst`: the log may hold what was asked before anything was moved. */
async function step(watch: Watch, { isFirst, isBeat }: { isFirst: boolean; isBeat: boolean }): Promise<void> {
  const { scope, tails, waiting, counter } = watch;
  for (const tail of tails)
    await attempt(watch, "log", async () => {
      for await (const request of tail.read()) {
        const wanted = wantedBy(request);
        // A clock that was set back must not make what happens now older than the run that it is about.
        if (wanted) waiting.push(isFirst ? wanted : { ...wanted, time: Number.POSITIVE_INFINITY });
      }
    });
  waiting.splice(0, Math.max(0, waiting.length - waitingAtMost));
  if (isBeat) await attempt(watch, "cut off", async () => report(watch, await restoreCutOff(scope)));
  for (let next = waiting[0]; next; next = waiting[0]) {
    const wanted = next;
    if (!(await attempt(watch, "wanted", async () => report(watch, await restoreWanted(wanted, scope)))))
      break;
    waiting.shift();
  }
  if (isBeat) await attempt(watch, "metrics", () => counter.write());
}

/** Whether some work came to its end. What did not is said once, and tried again later. */
async function attempt(
  { terminal, faults }: Watch,
  what: "log" | "cut off" | "wanted" | "metrics",
  work: () => Promise<void>,
): Promise<boolean> {
  try {
    await work();
    faults.delete(what);
    return true;
  } catch (error) {
    // Of a lock each message names another time.
    const fault = isLocked(error) ? "locked" : describeError(error);
    if (faults.get(what) !== fault)
      terminal.err(`${isLocked(error) ? "Waiting: " : ""}${describeError(error)}\n`);
    faults.set(what, fault);
    return false;
  }
}

async function report({ terminal, counter }: Watch, restored: Restored | undefined): Promise<void> {
  if (!restored) return;
  const { things, reason } = restored;
  const runs = [...new Set(things.map(({ run }) => nameOfRun(run)))].join(", ");
  const total = describeThings(totalOf(things.map(({ path }) => ({ path, at: path }))));
  const repositories = [...new Set(things.flatMap(({ path }) => repositoryOf(path) ?? []))].join(", ");
  terminal.out(`Put back ${total} from ${runs} in ${repositories || "blobs"}: ${reason}.\n`);
  await counter.add(things.length);
}

function repositoryOf(path: string): string | undefined {
  return /\/docker\/registry\/v2\/repositories\/(.+?)\/_/.exec(path)?.[1];
}

/** Aborted by Ctrl-C, or by the signal that stops a unit. */
function endOfProcess() {
  const controller = new AbortController();
  const listener = () => controller.abort();
  process.once("SIGINT", listener).once("SIGTERM", listener);
  return {
    signal: controller.signal,
    dispose: () => void process.off("SIGINT", listener).off("SIGTERM", listener),
  };
}
