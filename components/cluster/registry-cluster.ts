import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ownerName } from "../../contract/cluster-names.ts";
import { builtClusterBundle } from "../../contract/host-paths.ts";
import { ClusterPrograms } from "./cluster-programs.ts";
import { DriveSync } from "./drive-sync.ts";
import { ignoreAdmissionChanges } from "./ignore-admission-changes.ts";
import { InUseCheck } from "./in-use-check.ts";
import { IntegrityProbe } from "./integrity-probe.ts";
import { RegistryAlerts } from "./registry-alerts.ts";
import { RegistryDashboard } from "./registry-dashboard.ts";
import { RegistryScrape } from "./registry-scrape.ts";
import { metadata, namespaceMetadata } from "./render/metadata.ts";
import type { ClusterSettings } from "./settings.ts";

/** Arguments of {@link RegistryCluster}. */
export interface RegistryClusterArgs {
  readonly settings: ClusterSettings;
  /** Name of the Pulumi stack, as the drift run reports it. */
  readonly stack: string;
  /** Provider that refuses to make what is there already. */
  readonly creator: k8s.Provider;
  /** Registry account of the programs; both are secrets. */
  readonly user: pulumi.Output<string>;
  readonly password: pulumi.Output<string>;
  readonly authority?: pulumi.Output<string> | undefined;
  /** Configuration of rclone by site, each a secret. */
  readonly driveSyncConfigurations: Readonly<Record<string, pulumi.Output<string>>>;
  /** The cluster's programs, bundled, relative to the project's root. @default dist/regwarden-cluster.mjs */
  readonly bundle?: string;
}

/** What watches the registry from the cluster: probe, alerts, dashboard, and the copies of Drive folders. */
export class RegistryCluster extends pulumi.ComponentResource {
  constructor(name: string, args: RegistryClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    const defaults: pulumi.ComponentResourceOptions = { transforms: [ignoreAdmissionChanges] };
    super("registry:cluster:RegistryCluster", name, {}, pulumi.mergeOptions(defaults, opts));
    const { settings, stack, creator, user, password, authority, bundle = builtClusterBundle } = args;
    const { namespace, pushgatewayUrl, driveSync } = settings;
    // By hand, as parentage carries the other provider.
    const asNew = { parent: this, provider: creator };
    const ownNamespace =
      settings.createNamespace &&
      new k8s.core.v1.Namespace(
        `${name}-namespace`,
        { metadata: namespaceMetadata(namespace) },
        // What others have put into it would go with it.
        { ...asNew, retainOnDelete: true },
      );
    const owner = new k8s.core.v1.ConfigMap(
      `${name}-owner`,
      {
        metadata: metadata(ownerName, namespace),
        data: { stack, registry: settings.probe.instance },
      },
      // Nothing can be made in a namespace that is not there yet.
      { ...asNew, dependsOn: ownNamespace ? [ownNamespace] : [] },
    );
    // Objects have the same names in each stack: a second one would overwrite those of the first.
    const inside = { parent: this, dependsOn: [owner] };
    const probe = `${name}-probe`;
    const { objects: programs } = new ClusterPrograms(
      `${name}-programs`,
      { namespace, user, password, authority, bundle, formerProbe: probe },
      inside,
    );
    new IntegrityProbe(probe, { settings, programs }, inside);
    if (settings.inUse.enabled) new InUseCheck(`${name}-in-use`, { settings, programs }, inside);
    new RegistryAlerts(`${name}-alerts`, { settings, stack }, inside);
    if (settings.scrape.as !== "none") new RegistryScrape(`${name}-scrape`, { settings }, inside);
    if (settings.dashboard.enabled) new RegistryDashboard(`${name}-dashboard`, { namespace }, inside);
    if (driveSync.sites.length > 0) {
      const configurations = args.driveSyncConfigurations;
      new DriveSync(`${name}-drive-sync`, { settings: driveSync, pushgatewayUrl, configurations }, inside);
    }
    this.registerOutputs({});
  }
}
