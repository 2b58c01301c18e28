import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
  driveSyncCronJob,
  driveSyncLabels,
  driveSyncNames,
  externalSecretSpec,
  RCLONE_KEY,
} from "./render/drive-sync.ts";
import { base64, metadata } from "./render/metadata.ts";
import type { DriveSite, DriveSyncSettings } from "./settings.ts";

/** Arguments of {@link DriveSync}. */
export interface DriveSyncArgs {
  readonly settings: DriveSyncSettings;
  readonly pushgatewayUrl: string;
  /** Configuration of rclone by site, each a secret; sites with an external secret have none here. */
  readonly configurations: Readonly<Record<string, pulumi.Output<string>>>;
}

/** Copies folders from the cloud into volumes, one CronJob a site: a site that fails stops no other. */
export class DriveSync extends pulumi.ComponentResource {
  constructor(name: string, args: DriveSyncArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:cluster:DriveSync", name, {}, opts);
    for (const site of args.settings.sites) synchronise(`${name}-${site.name}`, site, args, { parent: this });
    this.registerOutputs({});
  }
}

function synchronise(
  name: string,
  site: DriveSite,
  { settings, pushgatewayUrl, configurations }: DriveSyncArgs,
  opts: pulumi.CustomResourceOptions,
): void {
  const labels = driveSyncLabels(site);
  const names = driveSyncNames(site);
  const secret = credentials(name, site, configurations[site.name], opts);
  const serviceAccount = new k8s.core.v1.ServiceAccount(
    `${name}-service-account`,
    { metadata: metadata(names.job, site.namespace, labels), automountServiceAccountToken: false },
    opts,
  );
  const mounts = pulumi.all([secret, serviceAccount.metadata.name]);
  new k8s.batch.v1.CronJob(
    `${name}-cron-job`,
    {
      metadata: metadata(names.job, site.namespace, labels),
      spec: mounts.apply(([secret, serviceAccount]) =>
        driveSyncCronJob(site, { image: settings.image, pushgatewayUrl }, { secret, serviceAccount }),
      ),
    },
    opts,
  );
}

/** The Secret with rclone's configuration, or what makes the operator write it; gives its name. */
function credentials(
  name: string,
  site: DriveSite,
  configuration: pulumi.Output<string> | undefined,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const { secret } = driveSyncNames(site);
  const own = metadata(secret, site.namespace, driveSyncLabels(site));
  if (site.externalSecret !== undefined) {
    const external = new k8s.apiextensions.CustomResource(
      `${name}-external-secret`,
      {
        apiVersion: "external-secrets.io/v1",
        kind: "ExternalSecret",
        metadata: own,
        spec: externalSecretSpec(site.externalSecret, secret),
      },
      opts,
    );
    return external.metadata.apply(() => secret);
  }
  // The configuration was checked at its door.
  if (configuration === undefined) throw new Error(`no configuration of rclone for the site ${site.name}`);
  const made = new k8s.core.v1.Secret(
    `${name}-credentials`,
    {
      metadata: own,
      type: "Opaque",
      data: { [RCLONE_KEY]: pulumi.secret(configuration).apply(base64) },
    },
    opts,
  );
  return made.metadata.name;
}
