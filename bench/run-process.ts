import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";

/** What a process did from its start to its end. */
export interface MeasuredRun {
  readonly seconds: number;
  /** Resident memory of the whole process at its highest. */
  readonly peakBytes: number;
  readonly exitCode: number;
  /** What it wrote to standard output, where that is kept. */
  readonly output: string;
}

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
  const sampler = setInterval(async () => {
    const status = await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => "");
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
    peakBytes = Math.max(peakBytes, Number(kibibytes ?? 0) * 1024);
  }, 20);
  const [exitCode] = (await once(child, "close")) as [number | null];
  clearInterval(sampler);
  const seconds = (performance.now() - start) / 1000;
  return { seconds, peakBytes, exitCode: exitCode ?? -1, output: Buffer.concat(chunks).toString() };
}
