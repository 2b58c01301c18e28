import { readFileSync } from "node:fs";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { cronJobs } from "../../contract/cluster-names.ts";
import { variables } from "../../contract/environment.ts";
import { base64 } from "./render/base64.ts";
import { metadata } from "./render/metadata.ts";
import {
  AUTHORITY_CONFIG_MAP,
  AUTHORITY_KEY,
  bundleConfigMap,
  PROBE_LABELS,
  PROBE_SECRET,
  probeCronJob,
} from "./render/probe.ts";
import type { ClusterSettings } from "./settings.ts";

/** Arguments of {@link IntegrityProbe}. */
export interface IntegrityProbeArgs {
  readonly settings: ClusterSettings;
  /** Registry account; both are secrets. */
  readonly user: pulumi.Output<string>;
  readonly password: pulumi.Output<string>;
  /** PEM text of the authority of the registry's certificate, where it is a private one. */
  readonly authority?: pulumi.Output<string> | undefined;
  /** The bundled programs, relative to the project's root. */
  readonly bundle: string;
}

/** Names of what the programs need in a pod. */
export interface ProgramObjects {
  readonly bundle: pulumi.Output<string>;
  readonly secret: pulumi.Output<string>;
  readonly authority: pulumi.Output<string> | undefined;
}

/** Asks the registry, as any client would, whether every tag can be pulled, and pushes what it found. */
export class IntegrityProbe extends pulumi.ComponentResource {
  public readonly cronJobName: pulumi.Output<string>;
  public readonly programs: ProgramObjects;

  constructor(name: string, args: IntegrityProbeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:cluster:IntegrityProbe", name, {}, opts);
    const { settings } = args;
    const own = { parent: this };
    const account = credentials(name, args, own);
    const bundle = programs(name, args, own);
    const authority = args.authority && authorityMap(name, settings, args.authority, own);
    const serviceAccount = new k8s.core.v1.ServiceAccount(
      `${name}-service-account`,
      {
        metadata: metadata(cronJobs.probe, settings.namespace, PROBE_LABELS),
        automountServiceAccountToken: false,
      },
      own,
    );
    // By reference, so that everything that a pod mounts is there before its CronJob.
    this.programs = {
      bundle: bundle.metadata.name,
      secret: account.metadata.name,
      authority: authority?.metadata.name,
    };
    const names = pulumi.all([
      this.programs.bundle,
      this.programs.secret,
      serviceAccount.metadata.name,
      this.programs.authority,
    ]);
    const job = new k8s.batch.v1.CronJob(
      `${name}-cron-job`,
      {
        metadata: metadata(cronJobs.probe, settings.namespace, PROBE_LABELS),
        spec: names.apply(([bundle, secret, serviceAccount, authority]) =>
          probeCronJob(settings, { bundle, secret, serviceAccount, authority }),
        ),
      },
      own,
    );
    this.cronJobName = job.metadata.name;
    this.registerOutputs({ cronJobName: this.cronJobName });
  }
}

function credentials(
  name: string,
  { settings, user, password }: IntegrityProbeArgs,
  opts: pulumi.CustomResourceOptions,
): k8s.core.v1.Secret {
  return new k8s.core.v1.Secret(
    `${name}-credentials`,
    {
      metadata: metadata(PROBE_SECRET, settings.namespace, PROBE_LABELS),
      type: "Opaque",
      // Not `stringData`, which the API server never gives back: an edit of the Secret would be no drift.
      data: { [variables.registryUser]: encoded(user), [variables.registryPassword]: encoded(password) },
    },
    opts,
  );
}

function programs(
  name: string,
  { settings, bundle }: IntegrityProbeArgs,
  opts: pulumi.CustomResourceOptions,
): k8s.core.v1.ConfigMap {
  const { name: configMapName, data } = bundleConfigMap(readBundle(bundle));
  return new k8s.core.v1.ConfigMap(
    `${name}-programs`,
    { metadata: metadata(configMapName, settings.namespace, PROBE_LABELS), immutable: true, data },
    opts,
  );
}

function authorityMap(
  name: string,
  { namespace }: ClusterSettings,
  authority: pulumi.Output<string>,
  opts: pulumi.CustomResourceOptions,
): k8s.core.v1.ConfigMap {
  return new k8s.core.v1.ConfigMap(
    `${name}-authority`,
    {
      metadata: metadata(AUTHORITY_CONFIG_MAP, namespace, PROBE_LABELS),
      data: { [AUTHORITY_KEY]: authority },
    },
    opts,
  );
}

function encoded(secret: pulumi.Output<string>): pulumi.Output<string> {
  return pulumi.secret(secret).apply(base64);
}

function readBundle(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new Error(`${path}, the bundled programs, cannot be read: run \`npm run build\` first`, { cause });
  }
}
