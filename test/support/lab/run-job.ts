import { namespaces } from "../../../lab/cluster/endpoints.ts";
import { holds } from "./prometheus.ts";
import { lab } from "./stack.ts";

/** How the pod of a CronJob ended. */
export interface JobEnd {
  readonly code: number;
  readonly log: string;
}

/** Runs the pod of a CronJob's own template. Errors: throws where no pod ran. */
export async function runJob(name: string): Promise<JobEnd> {
  const { output } = await lab("run", `${namespaces.monitoring}/${name}`);
  const code = /^pod \S+: exit code (\d+)$/m.exec(output)?.[1];
  if (code === undefined) throw new Error(`the pod of ${name} did not run:\n${output}`);
  return { code: Number(code), log: output };
}

/** Runs it and waits until Prometheus has what it pushed; `lastRun` is the metric with the time of the run. */
export async function runJobAndScrape(name: string, lastRun: string): Promise<JobEnd> {
  const start = Math.floor(Date.now() / 1000);
  const ended = await runJob(name);
  await holds(`${lastRun} >= ${start}`);
  return ended;
}
