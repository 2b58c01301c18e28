import type { Step } from "../commands/steps.ts";
import type { Instance } from "../machine/instances.ts";
import type { Reporter } from "../machine/run.ts";
import { waitUntil } from "../machine/run.ts";
import { ensureApiServer } from "./api-server.ts";
import { urlsOf } from "./endpoints.ts";
import { clientOf } from "./kubernetes-client.ts";
import { ensureManifests, servesRules } from "./manifests.ts";
import { ensureMonitoring } from "./monitoring.ts";
import { loadRules } from "./rules-loader.ts";
import { ensureSampleWorkload } from "./sample-workload.ts";

/** What must run before the stack is deployed: its objects go into the cluster. */
export function clusterSteps(instance: Instance): Step[] {
  const apiServer = async (reporter: Reporter) => {
    const client = await ensureApiServer(instance, { reporter });
    await ensureManifests(client);
    await ensureSampleWorkload(client);
    await waitUntil("the kind PrometheusRule", 30, () => servesRules(client));
    return `Kubernetes ${await client.version()} at ${urlsOf(instance).apiServer}`;
  };
  const monitoring = async (reporter: Reporter) => {
    await ensureMonitoring(instance, { reporter });
    return `Prometheus at ${urlsOf(instance).prometheus}`;
  };
  return [
    { name: "api-server", title: "API server", run: apiServer },
    { name: "monitoring", title: "Monitoring", run: monitoring },
  ];
}

/** What only the deployed stack brings: the rules in the cluster. */
export function rulesStep(instance: Instance): Step {
  const rules = async (reporter: Reporter) => {
    const client = clientOf(instance);
    const count = client === undefined ? 0 : await loadRules(instance, client, 1, { reporter });
    return count === 0 ? "none in the cluster" : `${count} loaded by Prometheus`;
  };
  return { name: "rules", title: "Alert rules", run: rules };
}
