import { isCronExpression } from "../../config/cron.ts";
import { cronJobs } from "../../contract/cluster-names.ts";
import { variables } from "../../contract/environment.ts";
import type { Deviation } from "../plan/deviation.ts";
import type { ClusterFacts } from "./facts.ts";

/** What moving in comes to in the cluster. */
export interface ClusterPlan {
  /** The key `cluster` of the configuration. */
  readonly value: Readonly<Record<string, unknown>>;
  /** Objects that keep their name and become the stack's, in place. */
  readonly takenOver: readonly string[];
  /** What stays, with what is to be done about it by hand. */
  readonly stays: readonly string[];
  readonly deviations: readonly Deviation[];
  readonly blockers: readonly string[];
  /** What could not be read. */
  readonly unchecked: readonly string[];
}

export interface ClusterTarget {
  readonly context: string;
  readonly runbookUrl: string | undefined;
}

const defaultPushgateway = "http://prometheus-prometheus-pushgateway.monitoring:9091";

/** The cluster's part of the plan. Pure. */
export function planCluster(facts: ClusterFacts, { context, runbookUrl }: ClusterTarget): ClusterPlan {
  const { probe, namespace, hasOperator, groups } = facts;
  const pushgateway = pushgatewayOf(probe?.environment.PUSHGATEWAY);
  const { schedule } = probe ?? {};
  const instance = probe?.environment.REGISTRY_INSTANCE;
  const probeValue = {
    ...(schedule === undefined || schedule === "*/15 * * * *" || !isCronExpression(schedule)
      ? {}
      : { schedule }),
    ...(instance === undefined ? {} : { instance }),
  };
  return {
    value: {
      enabled: true,
      kubeconfigContext: context,
      ...(namespace === "monitoring" ? {} : { namespace }),
      ...(pushgateway === undefined || pushgateway === defaultPushgateway
        ? {}
        : { pushgatewayUrl: pushgateway }),
      ...(Object.keys(probeValue).length === 0 ? {} : { probe: probeValue }),
      alerts: {
        ...(hasOperator ? {} : { as: "configMap" }),
        ...(runbookUrl === undefined ? {} : { runbookBaseUrl: runbookUrl }),
      },
    },
    takenOver: takenOver(facts),
    stays: [...formerVariables(facts), ...formerAlerts(facts), ...formerGroups(facts, pushgateway)],
    deviations: probeDeviations(facts),
    blockers:
      runbookUrl === undefined
        ? [
            "cluster.alerts.runbookBaseUrl is not known: give it with --runbook-url, or write it into the configuration",
          ]
        : [],
    unchecked: groups.state === "unchecked" ? [`the groups of the Pushgateway: ${groups.why}`] : [],
  };
}

function takenOver({ probe, account, namespace }: ClusterFacts): string[] {
  const line = (kind: string, found: { name: string; managers: readonly string[] } | undefined) =>
    found === undefined
      ? []
      : [
          `${kind} ${namespace}/${found.name}, set by ${found.managers.join(", ") || "an unknown program"}: ` +
            "its name stays, the stack's fields are taken over; first take it out of what sets it now (terraform state rm), or that changes it back",
        ];
  return [...line("CronJob", probe), ...line("Secret", account)];
}

/** Two rules of one name would notify twice; one asks for a metric that has another path from now on. */
function formerAlerts({ alerts }: ClusterFacts): string[] {
  return alerts.map(
    ({ where, names }) =>
      `${where}: ${names.join(", ")}; remove them where it is made (Helm values) after the first update, as the stack has its own` +
      (names.includes("DockerRegistryDown")
        ? ". DockerRegistryDown reads the former metrics path and fires from the first update on"
        : ""),
  );
}

/** The stack pushes with `instance` in the group; what a former probe has pushed without it stays there for ever. */
function formerGroups({ groups }: ClusterFacts, pushgateway: string | undefined): string[] {
  if (groups.state !== "read") return [];
  return groups.groups
    .filter((labels) => labels.instance === undefined || labels.instance === "")
    .map(
      () =>
        `group job=${cronJobs.probe} of the Pushgateway: its last values stay and its age raises RegistryIntegrityProbeStale; ` +
        `remove it after the first run: curl -X DELETE ${pushgateway ?? "PUSHGATEWAY"}/metrics/job/${cronJobs.probe}`,
    );
}

/**
 * Fields that only another program has set stay when the object is taken over: by server-side apply they are not the
 * stack's to remove. In a list they show as a difference in each preview. Tried with kube-apiserver 1.36.3.
 */
function formerVariables({ probe, namespace }: ClusterFacts): string[] {
  const own: readonly string[] = Object.values(variables);
  const left = Object.keys(probe?.environment ?? {}).filter((name) => !own.includes(name));
  if (probe === undefined || left.length === 0) return [];
  const removals = left.map((name) => `${name}-`).join(" ");
  return [
    `variables ${left.join(", ")} of CronJob ${namespace}/${probe.name}: read by the former script alone, and a difference in each preview; ` +
      `remove them after the first update: kubectl --namespace ${namespace} set env cronjob/${probe.name} ${removals}`,
  ];
}

function probeDeviations({ probe, namespace }: ClusterFacts): Deviation[] {
  if (probe === undefined) return [];
  return [
    {
      what: `CronJob ${namespace}/${probe.name}`,
      was: `${probe.image}, installs curl and jq at each run, five tags a repository, TLS not verified`,
      becomes: "the stack's program in its pinned image: every tag and blob, TLS verified",
      why: "a probe must not fail for a mirror of packages, and must see every tag",
    },
  ];
}

/** Base URL of where a probe pushes to, which is the URL of its group. */
function pushgatewayOf(url: string | undefined): string | undefined {
  return url?.replace(/\/metrics\/job\/.*$/, "").replace(/\/+$/, "");
}
