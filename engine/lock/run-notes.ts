import { readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * A process of the CLI, as `engine/cli/bin/pulumi` notes it before it becomes one. Its number alone would not do: in
 * another container, after a reboot, and once it is used again, the same number is another process.
 */
interface NotedProcess {
  readonly boot: string;
  /** Namespace of process numbers, as in `pid:[4026531836]`. */
  readonly namespace: string;
  /** Clock ticks since boot. */
  readonly startTicks: string;
}

/** The note of a process, and when it was written. */
export interface RunNote extends NotedProcess {
  readonly writtenAt: Date;
}

/** The note of the process with this number, if it left one. */
export function readRunNote(runsDirectory: string, processId: number): RunNote | undefined {
  try {
    const path = join(runsDirectory, String(processId));
    const noted = parseNote(readFileSync(path, "utf8"));
    return noted && { ...noted, writtenAt: statSync(path).mtime };
  } catch {
    return undefined;
  }
}

/**
 * Whether a noted process was of this boot and namespace, and is gone. False for all that is not certain: another
 * machine or container, a system without /proc.
 */
export function hasEnded(noted: NotedProcess, processId: number): boolean {
  const here = thisProcess();
  if (!here || noted.boot !== here.boot || noted.namespace !== here.namespace) return false;
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, "utf8");
    return isZombie(stat) || startTicks(stat) !== noted.startTicks;
  } catch (error) {
    return ["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "");
  }
}

/** Removes the notes of all processes that have ended: after a run that held the lock there is no other lock to explain. */
export function removeEndedNotes(runsDirectory: string): void {
  for (const id of readdirSync(runsDirectory).map(Number)) {
    const noted = readRunNote(runsDirectory, id);
    if (noted && hasEnded(noted, id)) rmSync(join(runsDirectory, String(id)), { force: true });
  }
}

function thisProcess(): NotedProcess | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8");
    const namespace = readlinkSync("/proc/self/ns/pid");
    return parseNote(`${boot}${namespace}\n${readFileSync("/proc/self/stat", "utf8")}`);
  } catch {
    return undefined;
  }
}

function parseNote(text: string): NotedProcess | undefined {
  const [boot, namespace, ...stat] = text.split("\n");
  const ticks = startTicks(stat.join("\n"));
  return boot && namespace && ticks ? { boot, namespace, startTicks: ticks } : undefined;
}

/** Source: proc(5), /proc/PID/stat; the name before the state may itself hold parentheses and spaces. */
function startTicks(stat: string): string | undefined {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

/** A process that was killed and is not yet collected by its parent does nothing any more. */
function isZombie(stat: string): boolean {
  return /^.*\) [ZX] /s.test(stat);
}
