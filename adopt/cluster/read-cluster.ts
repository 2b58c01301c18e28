import { readFile } from "node:fs/promises";
import * as v from "valibot";
import { cronJobs } from "../../contract/cluster-names.ts";
import { messageOf } from "../../provider/errors.ts";
import { createRetryingSend, type TrySend } from "../../scripts/http/retry.ts";
import { type ClusterAccess, kubeconfigAccess } from "../../scripts/in-use/cluster/access.ts";
import { listAll } from "../../scripts/in-use/cluster/list.ts";
import type { AlertsFact, ClusterFacts, GroupsFact, OwnedFact, ProbeFact } from "./facts.ts";

/** Alerts of the former monitoring. */
const formerAlerts = [
  "DockerRegistryDown",
  "RegistryLowCacheHitRate",
  "RegistryManifestIntegrityFailure",
  "RegistryIntegrityProbeStale",
  "RegistryCatalogInaccessible",
];

/** Secret of the former probe, and of the stack's. */
const accountSecret = "registry-probe-credentials";

const metadata = v.object({
  name: v.string(),
  managedFields: v.optional(v.array(v.object({ manager: v.optional(v.string(), "unknown") })), []),
});
const ownedSchema = v.object({ metadata });
const variable = v.object({ name: v.string(), value: v.optional(v.string()) });
const probeSchema = v.object({
  metadata,
  spec: v.object({
    schedule: v.string(),
    jobTemplate: v.object({
      spec: v.object({
        template: v.object({
          spec: v.object({
            containers: v.array(v.object({ image: v.string(), env: v.optional(v.array(variable), []) })),
          }),
        }),
      }),
    }),
  }),
});
const configMapSchema = v.object({
  metadata: v.object({ name: v.string() }),
  data: v.optional(v.record(v.string(), v.string()), {}),
});
const rulesSchema = v.object({ metadata: v.object({ name: v.string() }), spec: v.unknown() });
const groupsSchema = v.object({ data: v.array(v.object({ labels: v.record(v.string(), v.string()) })) });

/** Where a cluster is, and which of its namespaces has the monitoring. */
export interface ClusterPlace {
  readonly kubeconfig: string;
  readonly context: string;
  readonly namespace: string;
}

/**
 * Reads what is there; changes nothing. Of the Secret only its metadata travels.
 *
 * Errors: E_CONFIGURATION for the kubeconfig; an Error that names the path where the server does not answer as asked.
 * The Pushgateway alone may be out of reach: that is a fact.
 */
export async function readCluster(place: ClusterPlace): Promise<ClusterFacts> {
  const { kubeconfig, context, namespace } = place;
  const access = await kubeconfigAccess(kubeconfig, context, (path) => readFile(path, "utf8"));
  const send = createRetryingSend({ tries: 2, pauseSeconds: 1, retryAfterLimitSeconds: 5 });
  const cluster: Cluster = { send, access };
  const own = `/api/v1/namespaces/${namespace}`;
  const probe = await get(
    cluster,
    `/apis/batch/v1/namespaces/${namespace}/cronjobs/${cronJobs.probe}`,
    probeSchema,
  );
  const account = await get(cluster, `${own}/secrets/${accountSecret}`, ownedSchema, partialMetadata);
  const probeFact = probe && probeOf(probe);
  return {
    namespace,
    probe: probeFact,
    account: account && ownedOf(account),
    ...(await readAlerts(cluster, namespace)),
    groups: await readGroups(cluster, probeFact?.environment.PUSHGATEWAY),
  };
}

interface Cluster {
  readonly send: TrySend;
  readonly access: ClusterAccess;
}

/** Source: Kubernetes documentation, "API concepts", metadata of an object only. */
const partialMetadata = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/** Undefined where there is none. Errors: an Error for any answer that says neither. */
async function get<T>(
  { send, access }: Cluster,
  path: string,
  schema: v.GenericSchema<unknown, T>,
  accept = "application/json",
): Promise<T | undefined> {
  const { server, agent, token } = access;
  const headers = { accept, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  const attempt = await send(`${server}${path}`, { headers, agent });
  if (attempt.state !== "answered") throw new Error(`${server}${path} ${attempt.reason}`);
  const { status, body } = attempt.answer;
  if (status === 404) return undefined;
  if (status !== 200) throw new Error(`${server}${path} answers ${status}`);
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), new TextDecoder().decode(body));
  if (!parsed.success) throw new Error(`${server}${path} answers something else than was asked for`);
  return parsed.output;
}

function ownedOf({ metadata: { name, managedFields } }: v.InferOutput<typeof ownedSchema>): OwnedFact {
  return { name, managers: [...new Set(managedFields.map(({ manager }) => manager))] };
}

function probeOf(found: v.InferOutput<typeof probeSchema>): ProbeFact {
  const [container] = found.spec.jobTemplate.spec.template.spec.containers;
  const plain = (container?.env ?? []).flatMap(({ name, value }) =>
    value === undefined ? [] : [[name, value]],
  );
  return {
    ...ownedOf(found),
    schedule: found.spec.schedule,
    image: container?.image ?? "",
    environment: Object.fromEntries(plain),
  };
}

async function readAlerts(
  { send, access }: Cluster,
  namespace: string,
): Promise<{ alerts: AlertsFact[]; hasOperator: boolean }> {
  const maps = await listAll(send, access, {
    path: `/api/v1/namespaces/${namespace}/configmaps`,
    schema: configMapSchema,
  });
  if (maps.state !== "listed") throw new Error(`${access.server}${maps.path} ${maps.reason}`);
  const rules = await listAll(send, access, {
    path: `/apis/monitoring.coreos.com/v1/namespaces/${namespace}/prometheusrules`,
    schema: rulesSchema,
  });
  const hasOperator = rules.state === "listed";
  if (!hasOperator && !rules.reason.includes("404"))
    throw new Error(`${access.server}${rules.path} ${rules.reason}`);
  const found = [
    ...maps.items.map(({ metadata: { name }, data }) =>
      alertsIn(`ConfigMap ${name}`, Object.values(data).join("\n")),
    ),
    ...(hasOperator
      ? rules.items.map(({ metadata: { name }, spec }) =>
          alertsIn(`PrometheusRule ${name}`, JSON.stringify(spec)),
        )
      : []),
  ];
  return { alerts: found.filter(({ names }) => names.length > 0), hasOperator };
}

function alertsIn(where: string, text: string): AlertsFact {
  const isRule = (name: string) => new RegExp(`"?alert"?:\\s*"?${name}\\b`).test(text);
  return { where, names: formerAlerts.filter(isRule) };
}

/** By the API server's proxy: the Pushgateway has an address in the cluster only. */
async function readGroups(cluster: Cluster, pushUrl: string | undefined): Promise<GroupsFact> {
  const url = URL.parse(pushUrl ?? "");
  const [service, namespace] = url?.hostname.split(".") ?? [];
  if (!url || service === undefined || namespace === undefined)
    return { state: "unchecked", why: "the former probe names no Pushgateway of the cluster" };
  const port = url.port === "" ? "80" : url.port;
  const path = `/api/v1/namespaces/${namespace}/services/${service}:${port}/proxy/api/v1/metrics`;
  try {
    const answer = await get(cluster, path, groupsSchema);
    if (answer === undefined)
      return { state: "unchecked", why: `there is no service ${service} in ${namespace}` };
    const groups = answer.data.map(({ labels }) => labels).filter(({ job }) => job === cronJobs.probe);
    return { state: "read", groups };
  } catch (error) {
    return { state: "unchecked", why: messageOf(error) };
  }
}
