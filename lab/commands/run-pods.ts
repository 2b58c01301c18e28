import { runCronJob } from "../cluster/pods/runner.ts";
import { faint, print } from "../machine/screen.ts";
import { exitCodes, type LabArgs } from "./args.ts";

/** Runs a CronJob's pods and prints their logs. Returns the exit code: any pod that fails makes this fail. */
export async function runPods({ instance, cronJob }: LabArgs): Promise<number> {
  if (cronJob === undefined) return exitCodes.usage;
  const results = await runCronJob(instance, cronJob.namespace, cronJob.name, { reporter: { say: print } });
  for (const { name, exitCode, outOfMemory, late } of results) {
    const reason = outOfMemory ? ", out of memory" : late ? ", past its deadline" : "";
    print(faint(`pod ${name}: exit code ${exitCode}${reason}`));
  }
  return results.every(({ exitCode, late }) => exitCode === 0 && !late) ? exitCodes.ok : exitCodes.failed;
}
