import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { cronJobs } from "../../contract/cluster-names.ts";
import type { ProgramObjects } from "./cluster-programs.ts";
import { metadata } from "./render/metadata.ts";
import { PROBE_LABELS, probeCronJob } from "./render/probe.ts";
import type { ClusterSettings } from "./settings.ts";

/** Arguments of {@link IntegrityProbe}. */
export interface IntegrityProbeArgs {
  readonly settings: ClusterSettings;
  readonly programs: ProgramObjects;
}

/** Asks the registry, as any client would, whether every tag can be pulled, and pushes what it found. */
export class IntegrityProbe extends pulumi.ComponentResource {
  public readonly cronJobName: pulumi.Output<string>;

  constructor(name: string, args: IntegrityProbeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:cluster:IntegrityProbe", name, {}, opts);
    const { settings, programs } = args;
    const own = { parent: this };
    const serviceAccount = new k8s.core.v1.ServiceAccount(
      `${name}-service-account`,
      {
        metadata: metadata(cronJobs.probe, settings.namespace, PROBE_LABELS),
        automountServiceAccountToken: false,
      },
      own,
    );
    const { bundle, secret, authority } = programs;
    const mounts = pulumi.all([bundle, secret, authority, serviceAccount.metadata.name]);
    const job = new k8s.batch.v1.CronJob(
      `${name}-cron-job`,
      {
        metadata: metadata(cronJobs.probe, settings.namespace, PROBE_LABELS),
        spec: mounts.apply(([bundle, secret, authority, serviceAccount]) =>
          probeCronJob(settings, { bundle, secret, authority, serviceAccount }),
        ),
      },
      own,
    );
    this.cronJobName = job.metadata.name;
    this.registerOutputs({ cronJobName: this.cronJobName });
  }
}
