import { defaultCaches } from "../../contract/registries.ts";
import { namespaces, urlsOf } from "../cluster/endpoints.ts";
import { hasCluster, kubeconfigContext } from "../cluster/paths.ts";
import { type Certificates, registryHostName } from "../host/certificates.ts";
import type { RegistryAccount } from "../host/client-files.ts";
import type { LabHost } from "../host/host.ts";
import { upstreamUrl } from "../images/upstream.ts";
import { type Instance, ports } from "../machine/instances.ts";

/** One value of the stack's configuration. Keys are paths, as `pulumi config set --path` takes them. */
export interface ConfigurationValue {
  readonly value: string;
  readonly secret?: boolean;
}
export type StackConfiguration = Readonly<Record<string, ConfigurationValue>>;

/** The runbook's address in the alerts. The lab serves none, so it is a name that never resolves. */
const runbookUrl = "https://git.lab.invalid/regwarden/docs/runbook.md";

/** The lab removes what would go, all of it at once if need be, and waits minutes where others wait days. */
const maintenance: StackConfiguration = {
  "retention.mode": { value: "apply" },
  "retention.rules[0].repositories[0]": { value: "ci/**" },
  "retention.rules[0].keep.newest": { value: "3" },
  "retention.rules[0].overwritten.keep": { value: "1" },
  "retention.rules[0].trustPushTimes": { value: "true" },
  "collection.mode": { value: "apply" },
  "collection.deadFor": { value: "1m" },
  "collection.grace": { value: "1m" },
  "collection.overwritten": { value: "1m" },
  "collection.budget": { value: "100%" },
};

/** The pull-through caches: the remote of each is the instance's stand-in for the public registries. */
function caches(instance: Instance): StackConfiguration {
  const fields = defaultCaches.flatMap(({ name, port }, at) => [
    [`caches[${at}].name`, { value: name }],
    [`caches[${at}].port`, { value: String(port) }],
    [`caches[${at}].remoteUrl`, { value: upstreamUrl(instance) }],
  ]);
  return Object.fromEntries(fields);
}

/** What the program must know to put the cluster side of the stack into the instance's cluster. */
export function clusterConfiguration(instance: Instance): StackConfiguration {
  return {
    "cluster.enabled": { value: "true" },
    "cluster.kubeconfigContext": { value: kubeconfigContext(instance) },
    "cluster.namespace": { value: namespaces.monitoring },
    "cluster.pushgatewayUrl": { value: urlsOf(instance).pushgatewayForPods },
    "cluster.inUse.enabled": { value: "true" },
    "cluster.alerts.as": { value: "prometheusRule" },
    "cluster.alerts.runbookBaseUrl": { value: runbookUrl },
  };
}

/** Everything that the program must know to build the registry on the instance's host. */
export function stackConfiguration(
  instance: Instance,
  host: Pick<LabHost, "address" | "sshPort" | "hostKey"> & { readonly privateKey: string },
  certificates: Pick<Certificates, "authority" | "chain" | "privateKey">,
  account: RegistryAccount,
): StackConfiguration {
  return {
    ...(hasCluster(instance) ? clusterConfiguration(instance) : {}),
    "host.address": { value: host.address },
    "host.sshPort": { value: String(host.sshPort) },
    "host.sshUser": { value: "root" },
    "host.hostKey": { value: host.hostKey },
    "registry.hostname": { value: registryHostName },
    "private.port": { value: String(ports.private) },
    ...caches(instance),
    "ui.port": { value: String(ports.ui) },
    "ui.title": { value: `Docker registry (${instance})` },
    "metrics.port": { value: String(ports.metrics) },
    ...maintenance,
    secretsSource: { value: "config" },
    tlsAuthority: { value: certificates.authority },
    sshPrivateKey: { value: host.privateKey, secret: true },
    registryUser: { value: account.user, secret: true },
    registryPassword: { value: account.password, secret: true },
    tlsCertificate: { value: certificates.chain, secret: true },
    tlsPrivateKey: { value: certificates.privateKey, secret: true },
  };
}
