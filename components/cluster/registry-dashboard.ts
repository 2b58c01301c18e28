import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { dashboardName } from "../../contract/cluster-names.ts";
import { DASHBOARD_LABELS, dashboard } from "./render/dashboard.ts";
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
        metadata: metadata(dashboardName, namespace, DASHBOARD_LABELS),
        data: { "regwarden.json": JSON.stringify(dashboard(), null, 2) },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
