import { logTo, type Observation, printEnd, runStep } from "../demonstration/step.ts";
import { hostOf, isHealthy } from "../host/host.ts";
import { runIncident } from "../incident/incident.ts";
import { LabError } from "../machine/errors.ts";
import type { Instance } from "../machine/instances.ts";
import { heading, print } from "../machine/screen.ts";
import { tourSteps } from "./tour-steps.ts";

const readOn = `${heading("And on your own VM")}
   README.md, "Use it for your own VM": a configuration of nine lines.
   docs/adopt.md: a registry that runs already is read, moved in and, where you do not like it, moved back.
   docs/README.md: every document, from moving in to a rebuild at three in the morning.`;

/**
 * Leads through what the stack is for: drift, the comment on a pull request, the incident and the maintenance that does not
 * make it.
 *
 * Returns whether every step had the expected result.
 */
export async function runTour(instance: Instance, speed: number): Promise<boolean> {
  const start = performance.now();
  const host = await hostOf(instance);
  if (host === undefined || !(await isHealthy(host)))
    throw new LabError("E_MISSING", "the lab does not run", { hint: 'Start it: "npm run lab".' });
  const { logFile, ...options } = logTo(instance, "tour");
  const unexpected: Observation[] = [];
  print(heading("The stack, from day to day"));
  for (const [at, step] of tourSteps({ instance, host, options }).entries())
    unexpected.push(...(await runStep(step, at + 1)));
  printEnd(unexpected, (performance.now() - start) / 1000, logFile);
  const isExpected = await runIncident(instance, speed);
  print(readOn);
  return isExpected && unexpected.length === 0;
}
