import { durationMilliseconds, waitOf } from "../cluster/alert-rules.ts";
import { clientOf, type KubernetesClient } from "../cluster/kubernetes-client.ts";
import { loadRules, rulesOf } from "../cluster/rules-loader.ts";
import { logTo, type Observation, printEnd, runStep } from "../demonstration/step.ts";
import { hostOf, isHealthy, type LabHost } from "../host/host.ts";
import { LabError } from "../machine/errors.ts";
import type { Instance } from "../machine/instances.ts";
import type { StepOptions } from "../machine/run.ts";
import { duration, heading, print } from "../machine/screen.ts";
import { alertName, incidentSteps, type Scene } from "./incident-steps.ts";
import { maintenanceSteps } from "./maintenance-steps.ts";

async function ready(instance: Instance): Promise<{ host: LabHost; client: KubernetesClient }> {
  const host = await hostOf(instance);
  const client = clientOf(instance);
  if (host !== undefined && client !== undefined && (await isHealthy(host)) && (await client.isReady())) {
    return { host, client };
  }
  throw new LabError("E_MISSING", "the lab does not run", { hint: 'Start it: "npm run lab".' });
}

/** Seconds that the alert waits in a real cluster. Errors: E_MISSING where the cluster has no such alert. */
async function deployedWaitSeconds(client: KubernetesClient): Promise<number> {
  const wait = waitOf(await rulesOf(client), alertName);
  if (wait !== undefined) return durationMilliseconds(wait) / 1000;
  throw new LabError("E_MISSING", `the cluster has no alert ${alertName}`, {
    hint: 'Deploy it: "npm run up".',
  });
}

async function runSteps(scene: Scene, options: StepOptions): Promise<Observation[]> {
  const unexpected: Observation[] = [];
  const steps = [...incidentSteps(scene, options), ...maintenanceSteps(scene, options)];
  for (const [at, step] of steps.entries()) unexpected.push(...(await runStep(step, at + 1)));
  return unexpected;
}

/**
 * Damages the registry by the real collection, shows which checks find it, and brings the image back; then our own
 * maintenance runs on the same registry, and loses nothing. While it runs, the rules in the lab's Prometheus wait for a part of their time only; those in the cluster stay as they are.
 *
 * Returns whether every step had the expected result.
 */
export async function runIncident(instance: Instance, speed: number): Promise<boolean> {
  const start = performance.now();
  const { host, client } = await ready(instance);
  const deployedWait = await deployedWaitSeconds(client);
  const options = logTo(instance, "incident");
  print(heading("The incident: an image index loses its children"));
  print(
    `   The deployed alert waits ${duration(deployedWait)}. For this demonstration, the lab's Prometheus divides the ` +
      `"for" of every alert by ${speed} (--speed N).`,
  );
  try {
    await loadRules(instance, client, 1 / speed, options);
    const scene = { instance, host, waitSeconds: Math.round((deployedWait / speed) * 10) / 10 };
    const unexpected = await runSteps(scene, options);
    printEnd(unexpected, (performance.now() - start) / 1000, options.logFile);
    return unexpected.length === 0;
  } finally {
    await loadRules(instance, client, 1, options);
  }
}
