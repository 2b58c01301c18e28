import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { clusterConfiguration } from "../cluster/configuration.ts";
import { hasCluster, kubeconfigFile, urlsOf } from "../cluster/endpoints.ts";
import { type Certificates, registryHostName } from "../host/certificates.ts";
import type { LabHost } from "../host/host.ts";
import type { RegistryAccount } from "../images/sample-images.ts";
import { stackImages } from "../images/stack-images.ts";
import { upstreamUrl } from "../images/upstream.ts";
import { ensureSecret, writeAtomically } from "../machine/files.ts";
import { cacheNames, type Instance, ports } from "../machine/instances.ts";
import { projectRoot, stateDirectory } from "../machine/paths.ts";
import { pulumiHome } from "../machine/tools/pulumi.ts";

/** One value of the stack's configuration. Keys are paths, as `pulumi config set --path` takes them. */
export interface ConfigurationValue {
  readonly value: string;
  readonly secret?: boolean;
}
export type StackConfiguration = Readonly<Record<string, ConfigurationValue>>;

/** The pull-through caches: all of them ask the instance's stand-in for the public registries. */
function caches(instance: Instance): StackConfiguration {
  const fields = cacheNames.flatMap((name, at) => [
    [`caches[${at}].name`, { value: name }],
    [`caches[${at}].port`, { value: String(ports[name]) }],
    [`caches[${at}].remoteUrl`, { value: upstreamUrl(instance) }],
  ]);
  return Object.fromEntries(fields);
}

function images(): StackConfiguration {
  return Object.fromEntries(
    Object.entries(stackImages).map(([role, value]) => [`images.${role}`, { value }]),
  );
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
    ...images(),
    "ui.port": { value: String(ports.ui) },
    "ui.title": { value: `Docker registry (${instance})` },
    "metrics.port": { value: String(ports.metrics) },
    secretsSource: { value: "config" },
    tlsAuthority: { value: certificates.authority },
    sshPrivateKey: { value: host.privateKey, secret: true },
    registryUser: { value: account.user, secret: true },
    registryPassword: { value: account.password, secret: true },
    tlsCertificate: { value: certificates.chain, secret: true },
    tlsPrivateKey: { value: certificates.privateKey, secret: true },
  };
}

/** The account of the instance's private registry; its password is made once. */
export function ensureAccount(instance: Instance): RegistryAccount {
  return { user: "ci", password: ensureSecret(join(stateDirectory(instance), "registry-password")) };
}

/** Where the instance's stack keeps its state. */
export function stackStateDirectory(instance: Instance): string {
  return join(stateDirectory(instance), "state");
}

/** What the stack's engine must find in its environment. */
export function pulumiEnvironment(instance: Instance): Record<string, string> {
  return {
    PULUMI_HOME: pulumiHome(),
    // Without notes on content types: they are not written in one step, and a killed update would leave them torn.
    PULUMI_BACKEND_URL: `file://${stackStateDirectory(instance)}?metadata=skip`,
    PULUMI_CONFIG_PASSPHRASE_FILE: join(stateDirectory(instance), "passphrase"),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    KUBECONFIG: kubeconfigFile(instance),
  };
}

/** Where a drift run of the instance tells what it saw. */
function reportTargets(instance: Instance): Record<string, string> {
  return hasCluster(instance) ? { PUSHGATEWAY: urlsOf(instance).pushgateway } : {};
}

/** Makes what {@link pulumiEnvironment} names, and leaves it to `npm run preview` and its like in `environment.json`. */
export function writePulumiEnvironment(instance: Instance): void {
  const environment = { ...pulumiEnvironment(instance), ...reportTargets(instance) };
  ensureSecret(join(stateDirectory(instance), "passphrase"));
  mkdirSync(stackStateDirectory(instance), { recursive: true });
  writeAtomically(
    join(stateDirectory(instance), "environment.json"),
    `${JSON.stringify(environment, null, 2)}\n`,
  );
}

/** The file that holds the stack's configuration. */
export function stackFile(instance: Instance): string {
  return join(projectRoot, `Pulumi.${instance}.yaml`);
}
