import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { RegistryCluster } from "./components/cluster/registry-cluster.ts";
import type { ClusterSettings } from "./components/cluster/settings.ts";
import type { HostAccess } from "./components/host/host-command.ts";
import { HostDns } from "./components/host/host-dns.ts";
import { RegistryHost } from "./components/host/registry-host.ts";
import type { RegistrySettings } from "./components/host/settings.ts";
import { Declared, UnmanagedCheck } from "./components/host/unmanaged-check.ts";
import { type Config, readConfig } from "./config/read-config.ts";
import { readSecrets, type StackSecrets } from "./config/read-secrets.ts";
import { privateRegistry } from "./contract/registries.ts";
import { Provider } from "./provider/resources.ts";

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
  const secrets = await readSecrets(config);
  const access = hostAccess(config, secrets);
  const provider = new Provider("host", {
    connection: access.connection,
    mounts: config.host.dataMount === undefined ? [] : [config.host.dataMount],
  });
  const declared = new Declared();
  const onHost = { providers: { host: provider }, transformations: [declared.transformation] };

  const dns =
    config.dns &&
    new HostDns("dns", { dns: config.dns, access, probeName: config.registry.hostname }, onHost);
  const host = new RegistryHost(
    "registry",
    { settings: registrySettings(config), secrets, access },
    // Images are pulled by name.
    { ...onHost, dependsOn: dns ? [dns] : [] },
  );
  const { sshPort } = config.host;
  new UnmanagedCheck(
    "unmanaged",
    { settings: registrySettings(config), declared, sshPort, allow: config.drift.allow },
    onHost,
  );
  // Not after the host: when its update fails, the alerts must be there all the more.
  if (config.cluster.enabled) watchFromCluster(config, secrets);
  return { registryUrl: host.registryUrl, uiUrl: host.uiUrl, cacheUrls: cacheUrls(config) };
}

function hostAccess({ host }: Config, secrets: StackSecrets): HostAccess {
  const { proxy, agentSocketPath } = host;
  const keys = (privateKey: pulumi.Output<string> | undefined) => ({
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(agentSocketPath === undefined ? {} : { agentSocketPath }),
    dialErrorLimit: DIAL_ERROR_LIMIT,
  });
  const hop = ({ address, sshPort, sshUser }: SshAddress, hostKey: pulumi.Input<string>) => ({
    host: address,
    port: sshPort,
    user: sshUser,
    hostKey,
  });
  const connection = { ...hop(host, secrets.hostKey), ...keys(secrets.sshPrivateKey) };
  if (proxy === undefined) return { user: host.sshUser, connection };
  const proxyKeys = keys(secrets.sshProxyPrivateKey ?? secrets.sshPrivateKey);
  return {
    user: host.sshUser,
    connection: { ...connection, proxy: { ...hop(proxy, proxy.hostKey), ...proxyKeys } },
  };
}

type SshAddress = Pick<Config["host"], "address" | "sshPort" | "sshUser">;

function registrySettings(config: Config): RegistrySettings {
  const {
    host,
    registry,
    private: own,
    caches,
    blobCache,
    limits,
    images,
    ui,
    metrics,
    listenAddress,
    scan,
    retention,
    collection,
    cluster,
  } = config;
  const { directory, dataMount, outboundProxy, tls: tlsOnHost } = host;
  const { hostname } = registry;
  const ports = { private: own, caches, ui, metrics, listenAddress };
  return {
    directory,
    dataMount,
    hostname,
    ...ports,
    blobCache,
    limits,
    outboundProxy,
    tlsOnHost,
    images,
    scan,
    retention,
    collection,
    ...(cluster.enabled && cluster.inUse.enabled ? { inUseAs: inUseAs(config) } : {}),
  };
}

/** The registry as images name it. */
function inUseAs({ registry, private: own }: Pick<Config, "registry" | "private">): string {
  return new URL(`https://${registry.hostname}:${own.port}`).host;
}

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
    },
    scrape: {
      ...scrape,
      metricsAddress: `${host.address}:${metrics.port}`,
      registries: [privateRegistry, ...caches.map(({ name }) => name)],
    },
    dashboard,
    driveSync,
  };
}

function cacheUrls({ host, caches }: Config): Record<string, string> {
  return Object.fromEntries(caches.map(({ name, port }) => [name, `http://${host.address}:${port}`]));
}
