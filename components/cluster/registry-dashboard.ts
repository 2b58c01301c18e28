import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { DASHBOARD_LABELS, DASHBOARD_NAME, dashboard } from "./render/dashboard.ts";
import { metadata } from "./render/metadata.ts";

/** Arguments of {@link RegistryDashboard}. */
export interface RegistryDashboardArgs {
  readonly namespace: string;
}

/** The Grafana dashboard, as the ConfigMap that Grafana's sidecar loads. */
export class RegistryDashboard extends pulumi.ComponentResource {
  constructor(name: string, { namespace }: RegistryDashboardArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:cluster:RegistryDashboard", name, {}, opts);
    new k8s.core.v1.ConfigMap(
      `${name}-config-map`,
      {
        metadata: metadata(DASHBOARD_NAME, namespace, DASHBOARD_LABELS),
        data: { "regwarden.json": JSON.stringify(dashboard(), null, 2) },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
