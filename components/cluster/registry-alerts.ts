import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { alertRulesName } from "../../contract/cluster-names.ts";
import { yamlText } from "../yaml.ts";
import { labelsOf, metadata } from "./render/metadata.ts";
import { ruleGroups } from "./render/rules.ts";
import type { ClusterSettings } from "./settings.ts";

/** Arguments of {@link RegistryAlerts}. */
export interface RegistryAlertsArgs {
  readonly settings: ClusterSettings;
  /** Name of the Pulumi stack, as the drift run reports it. */
  readonly stack: string;
}

/** The alert rules, in the form that the cluster's Prometheus reads. */
export class RegistryAlerts extends pulumi.ComponentResource {
  constructor(name: string, args: RegistryAlertsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:cluster:RegistryAlerts", name, {}, opts);
    const { settings, stack } = args;
    const { alerts, namespace, probe, inUse, driveSync } = settings;
    const sites = driveSync.sites.map((site) => site.name);
    const imagesOf = inUse.enabled ? inUse.registry : undefined;
    const scope = {
      instance: probe.instance,
      stack,
      sites,
      imagesOf,
      collects: alerts.collects,
      backsUp: alerts.backsUp,
      breaksGlass: alerts.breaksGlass,
    };
    const rules = ruleGroups(scope, alerts);
    const labels = labelsOf(alerts.labels);
    const own = { parent: this };
    if (alerts.as === "prometheusRule") {
      new k8s.apiextensions.CustomResource(
        `${name}-rule`,
        {
          apiVersion: "monitoring.coreos.com/v1",
          kind: "PrometheusRule",
          metadata: metadata(alertRulesName, namespace, labels),
          spec: rules,
        },
        own,
      );
    } else {
      new k8s.core.v1.ConfigMap(
        `${name}-config-map`,
        {
          metadata: metadata(alertRulesName, namespace, labels),
          data: { "regwarden.rules.yaml": yamlText(rules) },
        },
        own,
      );
    }
    this.registerOutputs({});
  }
}
