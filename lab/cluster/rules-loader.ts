import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { dump } from "js-yaml";
import { LabError } from "../machine/errors.ts";
import { writeAtomically } from "../machine/files.ts";
import type { Instance } from "../machine/instances.ts";
import { run, type StepOptions } from "../machine/run.ts";
import { type RuleFile, rulesOfConfigMaps, rulesOfPrometheusRules, scaleFor } from "./alert-rules.ts";
import { urlsOf } from "./endpoints.ts";
import type { KubernetesClient } from "./kubernetes-client.ts";
import { prometheusRulesPath } from "./manifests.ts";
import { clusterDirectory } from "./paths.ts";

/** Directory of the instance's rules, one file an object. */
export function rulesDirectory(instance: Instance): string {
  return join(clusterDirectory(instance), "rules");
}

/** All rules in the cluster, in PrometheusRules and in ConfigMaps. */
export async function rulesOf(client: KubernetesClient): Promise<RuleFile[]> {
  const objects = await client.list(prometheusRulesPath);
  const configMaps = await client.list("/api/v1/configmaps");
  return [...rulesOfPrometheusRules(objects), ...rulesOfConfigMaps(configMaps)];
}

/** Writes one file an object, removes the files of others, and has promtool check what stays. */
async function write(directory: string, files: readonly RuleFile[]): Promise<void> {
  await mkdir(directory, { recursive: true });
  const names = files.map(({ name }) => `${name.replace(/\.ya?ml$/, "")}.yaml`);
  for (const [at, { groups }] of files.entries())
    writeAtomically(join(directory, names[at] ?? ""), dump({ groups }));
  for (const name of await readdir(directory))
    if (!names.includes(name)) await rm(join(directory, name), { force: true });
  if (names.length === 0) return;
  const paths = names.map((name) => join(directory, name));
  await run(["promtool", "check", "rules", ...paths], { timeoutSeconds: 60 });
}

/** Loads the cluster's rules into Prometheus, as a Prometheus operator does. Returns their number. */
export async function loadRules(
  instance: Instance,
  client: KubernetesClient,
  factor: number,
  options: StepOptions = {},
): Promise<number> {
  const files = await rulesOf(client);
  await write(rulesDirectory(instance), factor === 1 ? files : scaleFor(files, factor));
  const url = `${urlsOf(instance).prometheus}/-/reload`;
  const answer = await fetch(url, { method: "POST", signal: AbortSignal.timeout(15_000) }).catch((cause) => {
    const hint = 'Run "npm run lab" again: it starts what has ended.';
    throw new LabError("E_COMMAND_FAILED", `Prometheus does not answer at ${url}`, { cause, hint });
  });
  if (!answer.ok) {
    throw new LabError("E_COMMAND_FAILED", `Prometheus refuses its rules: ${(await answer.text()).trim()}`);
  }
  const rules = files.flatMap(({ groups }) => groups.flatMap((group) => group.rules));
  options.reporter?.say(`${rules.length} rules from ${files.length} objects, "for" times ${factor}`);
  return rules.length;
}
