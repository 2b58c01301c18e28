import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { durationMilliseconds, waitOf } from "../cluster/alert-rules.ts";
import { clientOf, type KubernetesClient } from "../cluster/kubernetes-client.ts";
import { loadRules, rulesOf } from "../cluster/rules-loader.ts";
import { hostOf, isHealthy, type LabHost } from "../host/host.ts";
import { LabError } from "../machine/errors.ts";
import type { Instance } from "../machine/instances.ts";
import { stateDirectory } from "../machine/paths.ts";
import type { StepOptions } from "../machine/run.ts";
import { bad, duration, good, heading } from "../machine/screen.ts";
import { type Fact, playAct } from "./incident-step.ts";
import { alertName, type Stage, storyOf } from "./incident-steps.ts";

type Print = (text: string) => void;

async function ready(instance: Instance): Promise<{ host: LabHost; client: KubernetesClient }> {
  const host = await hostOf(instance);
  const client = clientOf(instance);
  if (host !== undefined && client !== undefined && (await isHealthy(host)) && (await client.isReady())) {
    return { host, client };
  }
  throw new LabError("E_MISSING", "the lab does not run", { hint: 'Start it: "npm run lab".' });
}

/** Seconds that the alert waits in earnest. Errors: E_MISSING where the cluster has no such alert. */
async function earnestSeconds(client: KubernetesClient): Promise<number> {
  const files = await rulesOf(client);
  const wait = waitOf(files, alertName);
  if (wait !== undefined) return durationMilliseconds(wait) / 1000;
  throw new LabError("E_MISSING", `the cluster has no alert ${alertName}`, {
    hint: 'Deploy it: "npm run up".',
  });
}

/** Writes all that the commands say to a log, because the screen has only what matters. */
function reporterFor(instance: Instance): StepOptions & { readonly logFile: string } {
  const logFile = join(stateDirectory(instance), "logs/incident.log");
  mkdirSync(join(logFile, ".."), { recursive: true });
  const say = (line: string) => appendFileSync(logFile, `${new Date().toISOString()} ${line}\n`);
  return { logFile, reporter: { say } };
}

function tellEnd(differences: readonly Fact[], seconds: number, logFile: string, print: Print): void {
  if (differences.length === 0) {
    print(heading(good(`The story went as told (${duration(seconds)}).`)));
    return;
  }
  print(heading(bad(`${differences.length} of the facts differ from the story:`)));
  for (const { text } of differences) print(`   ${text.split("\n")[0]}`);
  print(`   What the commands said: ${logFile}`);
}

async function play(stage: Stage, options: StepOptions, print: Print): Promise<Fact[]> {
  const differences: Fact[] = [];
  for (const [at, act] of storyOf(stage, options).entries())
    differences.push(...(await playAct(act, at + 1, print)));
  return differences;
}

/**
 * Damages the registry by the real collection, shows who notices, and brings the image back. For as long as it takes,
 * the rules in the lab's Prometheus wait for a part of their time only; those in the cluster stay as they are.
 *
 * Gives whether everything went as told.
 */
export async function runIncident(instance: Instance, speed: number, print: Print): Promise<boolean> {
  const start = performance.now();
  const { host, client } = await ready(instance);
  const earnest = await earnestSeconds(client);
  const options = reporterFor(instance);
  print(heading("The incident: an image index loses its children"));
  print(
    `   In earnest the alert waits ${duration(earnest)}. This Prometheus divides every alert's "for" by ${speed}` +
      `, for this demonstration only (--speed N).`,
  );
  try {
    await loadRules(instance, client, 1 / speed, options);
    const stage = { instance, host, waitSeconds: Math.round((earnest / speed) * 10) / 10 };
    const differences = await play(stage, options, print);
    tellEnd(differences, (performance.now() - start) / 1000, options.logFile, print);
    return differences.length === 0;
  } finally {
    await loadRules(instance, client, 1, options);
  }
}
