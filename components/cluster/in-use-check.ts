import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { cronJobs } from "../../contract/cluster-names.ts";
import type { ProgramObjects } from "./cluster-programs.ts";
import { IN_USE_LABELS, inUseClusterRoleName, inUseCronJob, inUseRules } from "./render/in-use.ts";
import { clusterMetadata, metadata } from "./render/metadata.ts";
import type { ClusterSettings } from "./settings.ts";

/** Arguments of {@link InUseCheck}. */
export interface InUseCheckArgs {
  readonly settings: ClusterSettings;
  readonly programs: ProgramObjects;
}

/** Asks the cluster which images it needs, and the registry whether it has them; the only pods with a token. */
export class InUseCheck extends pulumi.ComponentResource {
  constructor(name: string, args: InUseCheckArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:cluster:InUseCheck", name, {}, opts);
    const { settings, programs } = args;
    const { namespace } = settings;
    const own = { parent: this };
    const serviceAccount = new k8s.core.v1.ServiceAccount(
      `${name}-service-account`,
      { metadata: metadata(cronJobs.inUse, namespace, IN_USE_LABELS), automountServiceAccountToken: false },
      own,
    );
    const role = new k8s.rbac.v1.ClusterRole(
      `${name}-cluster-role`,
      { metadata: clusterMetadata(inUseClusterRoleName(settings), IN_USE_LABELS), rules: inUseRules() },
      own,
    );
    const binding = new k8s.rbac.v1.ClusterRoleBinding(
      `${name}-cluster-role-binding`,
      {
        metadata: clusterMetadata(inUseClusterRoleName(settings), IN_USE_LABELS),
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role.metadata.name },
        subjects: [{ kind: "ServiceAccount", name: serviceAccount.metadata.name, namespace }],
      },
      own,
    );
    const { bundle, secret, authority } = programs;
    const mounts = pulumi.all([bundle, secret, authority, serviceAccount.metadata.name]);
    new k8s.batch.v1.CronJob(
      `${name}-cron-job`,
      {
        metadata: metadata(cronJobs.inUse, namespace, IN_USE_LABELS),
        spec: mounts.apply(([bundle, secret, authority, serviceAccount]) =>
          inUseCronJob(settings, { bundle, secret, authority, serviceAccount }),
        ),
      },
      // A first run without its rights would report that it could not check.
      { ...own, dependsOn: [binding] },
    );
    this.registerOutputs({});
  }
}
