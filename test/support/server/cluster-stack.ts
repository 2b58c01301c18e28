import { mkdirSync } from "node:fs";
import { join } from "node:path";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import automation, { type Stack } from "@pulumi/pulumi/automation/index.js";
import { RegistryCluster } from "../../../components/cluster/registry-cluster.ts";
import type { ClusterSettings } from "../../../components/cluster/settings.ts";
import { builtClusterBundle } from "../../../contract/host-paths.ts";
import { projectRoot } from "../../../lab/machine/paths.ts";

export const clusterNamespace = "monitoring";

/** The probe, and all else off. */
export const probeOnly: ClusterSettings = {
  namespace: clusterNamespace,
  createNamespace: false,
  pushgatewayUrl: "http://pushgateway.monitoring:9091",
  nodeImage: "node:24.21.0-bookworm-slim",
  probe: {
    schedule: "*/15 * * * *",
    shards: 1,
    instance: "registry.example.com:5050",
    registryUrl: "https://registry.example.com:5050",
    memoryLimit: "256Mi",
  },
  inUse: {
    enabled: false,
    registry: "registry.example.com:5050",
    schedule: "7-59/15 * * * *",
    memoryLimit: "256Mi",
  },
  alerts: {
    as: "configMap",
    runbookBaseUrl: "https://git.example.com/runbook.md",
    collects: false,
    backsUp: false,
    breaksGlass: false,
    labels: [],
  },
  scrape: {
    as: "none",
    labels: [],
    pushgateway: false,
    metricsAddress: "10.0.20.10:5001",
    backsUp: false,
    breaksGlass: false,
    registries: ["private"],
  },
  dashboard: { enabled: false },
  driveSync: { image: "rclone/rclone:1.74.3", sites: [] },
};

export interface ClusterStackOptions {
  readonly name: string;
  /** Gets the stack's work directory. */
  readonly directory: string;
  readonly settings: ClusterSettings;
  /** The text of a kubeconfig with the context `test`. */
  readonly kubeconfig: string;
  readonly user: string;
  readonly password: string;
}

/** The cluster side alone, as a stack of its own in the environment's backend. */
export async function clusterStack(options: ClusterStackOptions): Promise<Stack> {
  const { name, directory, settings } = options;
  const program = async () => {
    const access = {
      kubeconfig: pulumi.secret(options.kubeconfig),
      context: "test",
      enableConfigMapMutable: true,
      enableSecretMutable: true,
    };
    const provider = new k8s.Provider("cluster", access);
    const creator = new k8s.Provider("cluster-creation", { ...access, enableServerSideApply: false });
    const [user, password] = [pulumi.secret(options.user), pulumi.secret(options.password)];
    const bundle = join(projectRoot, builtClusterBundle);
    const args = { settings, stack: name, creator, user, password, driveSyncConfigurations: {}, bundle };
    new RegistryCluster("cluster", args, { providers: { kubernetes: provider } });
  };
  const workDir = join(directory, name);
  mkdirSync(workDir, { recursive: true });
  return await automation.LocalWorkspace.createOrSelectStack(
    { stackName: name, projectName: "regwarden", program },
    // The plugin leaves a kubeconfig in the directory for temporary files in each run.
    { workDir, envVars: { TMPDIR: directory } },
  );
}
