import type { Instance } from "../machine/instances.ts";
import { namespaces, urlsOf } from "./endpoints.ts";

/** Where people of the lab read the runbook: nowhere, so the host's name is one that never resolves. */
const runbookUrl = "https://git.lab.invalid/regwarden/docs/runbook.md";

/** What the program must know to put the cluster side of the stack into the instance's cluster. */
export function clusterConfiguration(
  instance: Instance,
): Readonly<Record<string, { readonly value: string }>> {
  return {
    "cluster.enabled": { value: "true" },
    "cluster.namespace": { value: namespaces.monitoring },
    "cluster.pushgatewayUrl": { value: urlsOf(instance).pushgatewayForPods },
    "cluster.inUse.enabled": { value: "true" },
    "cluster.alerts.as": { value: "prometheusRule" },
    "cluster.alerts.runbookBaseUrl": { value: runbookUrl },
  };
}
