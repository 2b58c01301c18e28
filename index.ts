import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { RegistryCluster } from "./components/cluster/registry-cluster.ts";
import type { ClusterSettings } from "./components/cluster/settings.ts";
import { HostDns } from "./components/host/host-dns.ts";
import { importExisting } from "./components/host/import-existing.ts";
import { RegistryHost } from "./components/host/registry-host.ts";
import { Declared, UnmanagedCheck } from "./components/host/unmanaged-check.ts";
import { VaultAccess } from "./components/vault/vault-access.ts";
import { type Config, readConfig } from "./config/read-config.ts";
import { readSecrets, type StackSecrets } from "./config/read-secrets.ts";
import { vaultOf } from "./config/read-vault.ts";
import { inUseAs, registrySettings } from "./config/registry-settings.ts";
import { usedPaths } from "./config/vault-paths.ts";
import { dnsPaths, vmName } from "./contract/dns.ts";
import { privateRegistry } from "./contract/registries.ts";
import { type ConnectionArgs, Provider } from "./provider/resources.ts";

/** Seven seconds of trying: enough for an sshd that restarts, short enough for an operator who waits for the message. */
const DIAL_ERROR_LIMIT = 4;

/** Outputs of the stack. */
export interface StackOutputs {
  readonly registryUrl: string;
  readonly uiUrl: string | undefined;
  /** By cache name. */
  readonly cacheUrls: Record<string, string>;
}

/**
 * The whole program. A function and not top-level code: the language host calls the default export, and the
 * Automation API can call it again and again, where a module would run once.
 */
export default async function registryStack(): Promise<StackOutputs> {
  const config = readConfig();
  const vault = vaultOf(config);
  const secrets = await readSecrets(config, vault);
  if (vault !== undefined) allowInVault(config, vault);
  const provider = new Provider("host", {
    connection: connectionTo(config.host, secrets.hostKey, secrets),
    mounts: config.host.dataMount === undefined ? [] : [config.host.dataMount],
  });
  const declared = new Declared();
  const settings = registrySettings(config);
  const existing = importExisting(settings, config.adopt?.existing ?? []);
  const onHost = { providers: { host: provider }, transformations: [declared.transformation, existing] };

  const dns = vmDns(config, onHost);
  for (const each of config.dns?.hosts ?? []) otherDns(each, config, secrets);
  const host = new RegistryHost(
    "registry",
    { settings, secrets, former: config.adopt },
    // Images are pulled by name.
    { ...onHost, dependsOn: dns },
  );
  const { sshPort } = config.host;
  new UnmanagedCheck(
    "unmanaged",
    {
      settings,
      declared,
      sshPort,
      // Another drop-in there would add servers.
      directories: dns.length > 0 ? [dnsPaths.dropInDirectory] : [],
      allow: config.drift.allow,
    },
    onHost,
  );
  // Not after the host: when its update fails, the alerts must be there all the more.
  if (config.cluster.enabled) watchFromCluster(config, secrets);
  return { registryUrl: host.registryUrl, uiUrl: host.uiUrl, cacheUrls: cacheUrls(config) };
}

/**
 * How each host is reached whose name servers the configuration declares, the VM under {@link vmName}: for what is done
 * on them beside an update.
 */
export async function dnsConnections(): Promise<Readonly<Record<string, ConnectionArgs>>> {
  const config = readConfig();
  const secrets = await readSecrets(config, vaultOf(config));
  const { dns, host } = config;
  const vm =
    dns?.servers === undefined ? [] : [[vmName, connectionTo(host, secrets.hostKey, secrets)] as const];
  const others = (dns?.hosts ?? []).map(
    (each) => [each.name, connectionToDnsHost(each, config, secrets)] as const,
  );
  return Object.fromEntries([...vm, ...others]);
}

/** Off by default: who deploys the first time needs more rights for it than any later run. */
export function allowInVault(config: Config, provider: pulumi.ProviderResource): void {
  const { mount, policy, ciRole } = config.vault;
  if (policy === undefined) return;
  const secrets = usedPaths(config).map(({ key, path }) => ({ key: `regwarden:vault.${key}`, path }));
  new VaultAccess("vault", { policy, mount, secrets, ciRole }, { providers: { vault: provider } });
}

/** The DNS of the VM, where the configuration has it. */
function vmDns({ dns, registry }: Config, opts: pulumi.ComponentResourceOptions): HostDns[] {
  if (dns?.servers === undefined) return [];
  const { servers, searchDomains, netplan } = dns;
  const probeName = dns.testName ?? registry.hostname;
  const args = { dns: { servers, searchDomains }, kind: "resolved", netplan, probeName } as const;
  return [new HostDns("dns", { ...args, configKey: "regwarden:dns" }, opts)];
}

/** The DNS of another host, over a connection of its own. The rest of the stack does not wait for it. */
function otherDns(host: DnsHost, config: Config, secrets: StackSecrets): void {
  const { name, kind, servers, searchDomains, netplan } = host;
  const { dns, registry } = config;
  const connection = connectionToDnsHost(host, config, secrets);
  const provider = new Provider(`dns-${name}`, { connection, deferrable: true });
  const probeName = dns?.testName ?? registry.hostname;
  const configKey = `the host ${name} of regwarden:dns`;
  const args = { dns: { servers, searchDomains }, kind, netplan, probeName, configKey };
  new HostDns(`dns-${name}`, { ...args, deferrable: name }, { providers: { host: provider } });
}

function connectionToDnsHost(host: DnsHost, { host: vm }: Config, secrets: StackSecrets): ConnectionArgs {
  return connectionTo({ ...host, agentSocketPath: vm.agentSocketPath }, host.hostKey, secrets);
}

type DnsHost = NonNullable<Config["dns"]>["hosts"][number];

function connectionTo(
  host: SshAddress & {
    readonly agentSocketPath?: string | undefined;
    readonly proxy?: ProxyAddress | undefined;
  },
  hostKey: pulumi.Input<string>,
  secrets: StackSecrets,
): ConnectionArgs {
  const { proxy, agentSocketPath } = host;
  const keys = (privateKey: pulumi.Output<string> | undefined) => ({
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(agentSocketPath === undefined ? {} : { agentSocketPath }),
    dialErrorLimit: DIAL_ERROR_LIMIT,
  });
  const hop = ({ address, sshPort, sshUser }: SshAddress, key: pulumi.Input<string>) => ({
    host: address,
    port: sshPort,
    user: sshUser,
    hostKey: key,
  });
  const connection = { ...hop(host, hostKey), ...keys(secrets.sshPrivateKey) };
  if (proxy === undefined) return connection;
  const proxyKeys = keys(secrets.sshProxyPrivateKey ?? secrets.sshPrivateKey);
  return { ...connection, proxy: { ...hop(proxy, proxy.hostKey), ...proxyKeys } };
}

type SshAddress = Pick<Config["host"], "address" | "sshPort" | "sshUser">;
type ProxyAddress = NonNullable<Config["host"]["proxy"]>;

function watchFromCluster(config: Config, secrets: StackSecrets): void {
  const { kubeconfigContext: context } = config.cluster;
  const access = {
    ...(context === undefined ? {} : { context }),
    ...(secrets.kubeconfig === undefined ? {} : { kubeconfig: secrets.kubeconfig }),
    // Otherwise an edit is healed by removing the object first, and a pod that starts meanwhile has no password.
    enableConfigMapMutable: true,
    enableSecretMutable: true,
  };
  const provider = new k8s.Provider("cluster", access);
  // By server-side apply, what is there already is taken over: this one makes what must be new.
  const creator = new k8s.Provider("cluster-creation", { ...access, enableServerSideApply: false });
  new RegistryCluster(
    "cluster",
    {
      settings: clusterSettings(config),
      stack: pulumi.getStack(),
      creator,
      ...clusterAccount(config, secrets),
      authority: secrets.tls.authority,
      driveSyncConfigurations: secrets.driveSyncConfigs,
    },
    { providers: { kubernetes: provider } },
  );
}

/** Programs in the cluster only read: where there is an account for that, they get no other. */
function clusterAccount(
  { private: { pullUser } }: Config,
  { registryUser, registryPassword, pullPassword }: StackSecrets,
): { user: pulumi.Output<string>; password: pulumi.Output<string> } {
  if (pullUser === undefined || pullPassword === undefined)
    return { user: registryUser, password: registryPassword };
  return { user: pulumi.output(pullUser), password: pullPassword };
}

function clusterSettings({
  host,
  cluster,
  images,
  registry,
  private: own,
  caches,
  metrics,
  collection,
  backup,
  breakGlass,
}: Config): ClusterSettings {
  const { namespace, createNamespace, pushgatewayUrl, probe, inUse, alerts, scrape, dashboard, driveSync } =
    cluster;
  const address = `${registry.hostname}:${own.port}`;
  return {
    namespace,
    createNamespace,
    pushgatewayUrl,
    nodeImage: images.node,
    probe: { ...probe, instance: probe.instance ?? address, registryUrl: `https://${address}` },
    inUse: { ...inUse, registry: inUseAs({ registry, private: own }) },
    // There is one where the cluster is on: see clusterFaults.
    alerts: {
      ...alerts,
      runbookBaseUrl: alerts.runbookBaseUrl ?? "",
      collects: collection.mode === "apply",
      backsUp: backup?.enabled ?? false,
      breaksGlass: breakGlass !== undefined,
    },
    scrape: {
      ...scrape,
      metricsAddress: `${host.address}:${metrics.port}`,
      registries: [privateRegistry, ...caches.map(({ name }) => name)],
      backsUp: backup?.enabled ?? false,
      breaksGlass: breakGlass !== undefined,
    },
    dashboard,
    driveSync,
  };
}

function cacheUrls({ host, caches }: Config): Record<string, string> {
  return Object.fromEntries(caches.map(({ name, port }) => [name, `http://${host.address}:${port}`]));
}
