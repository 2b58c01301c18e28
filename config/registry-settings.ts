import type { Settings } from "./settings.ts";

/** What decides what the registry host is: the form that the host's components take. */
export function registrySettings(settings: Readonly<Settings>) {
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
    backup,
    breakGlass,
    cluster,
  } = settings;
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
    ...(backup?.enabled ? { backup } : {}),
    ...(breakGlass ? { breakGlass } : {}),
    ...(cluster.enabled && cluster.inUse.enabled ? { inUseAs: inUseAs(settings) } : {}),
  };
}

/** The registry as images name it. */
export function inUseAs({ registry, private: own }: Pick<Settings, "registry" | "private">): string {
  return new URL(`https://${registry.hostname}:${own.port}`).host;
}
