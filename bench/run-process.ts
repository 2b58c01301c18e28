import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";

/** What a process did from its start to its end. */
export interface MeasuredRun {
  readonly seconds: number;
  /** That all of its threads were at work, in the kernel too; as of the last twentieth of a second. */
  readonly processorSeconds: number;
  /** Resident memory of the whole process at its highest. */
  readonly peakBytes: number;
  readonly exitCode: number;
  /** What it wrote to standard output, where that is kept. */
  readonly output: string;
}

/** Of the kernel's clock for processes, on all machines that Node runs on. */
const ticksOfSecond = 100;

/** Runs a command to its end, and measures it. */
export async function runProcess(
  command: string,
  args: readonly string[],
  { keepsOutput = true }: { readonly keepsOutput?: boolean } = {},
): Promise<MeasuredRun> {
  const start = performance.now();
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => keepsOutput && chunks.push(chunk));
  let peakBytes = 0;
  let processorSeconds = 0;
  const sampler = setInterval(async () => {
    const of = (file: string) => readFile(`/proc/${child.pid}/${file}`, "utf8").catch(() => "");
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(await of("status")) ?? [];
    peakBytes = Math.max(peakBytes, Number(kibibytes ?? 0) * 1024);
    // The name of the command, in brackets, may hold spaces; of the rest, these are the 14th and 15th of all fields.
    const [user = 0, system = 0] =
      (await of("stat")).split(") ").at(-1)?.split(" ").slice(11, 13).map(Number) ?? [];
    processorSeconds = Math.max(processorSeconds, (user + system) / ticksOfSecond);
  }, 20);
  const [exitCode] = (await once(child, "close")) as [number | null];
  clearInterval(sampler);
  const seconds = (performance.now() - start) / 1000;
  return {
    seconds,
    processorSeconds,
    peakBytes,
    exitCode: exitCode ?? -1,
    output: Buffer.concat(chunks).toString(),
  };
}
