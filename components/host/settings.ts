import { privateRegistry } from "../../contract/registries.ts";
/** A pull-through cache of another registry. */
export interface CacheSettings {
  /** DNS label; names the container, the data directory and the metrics path. */
  readonly name: string;
  readonly port: number;
  /** With scheme, no path. */
  readonly remoteUrl: string;
  /** Account at the remote; its password is a secret and stands elsewhere. */
  readonly username?: string | undefined;
}

/** What decides what the registry host is. Plain values only: the secrets are apart. */
export interface RegistrySettings {
  /** Where everything lies on the host, absolute, no trailing slash. */
  readonly directory: string;
  /** DNS name of the private registry and the UI; the certificate names it. */
  readonly hostname: string;
  /** IPv4 address that the ports are published on. */
  readonly listenAddress: string;
  readonly private: { readonly port: number };
  readonly caches: readonly CacheSettings[];
  readonly images: {
    readonly registry: string;
    readonly nginx: string;
    readonly ui: string;
    readonly node: string;
  };
  readonly ui: { readonly enabled: boolean; readonly port: number; readonly title: string };
  readonly metrics: { readonly port: number };
  readonly scan: { readonly onCalendar: string };
}

/** All registries by name, the caches first. */
export function registryNames(settings: Pick<RegistrySettings, "caches">): string[] {
  return [...settings.caches.map(({ name }) => name), privateRegistry];
}

/** Where a program on the host itself reaches the published ports. */
export function localAddress({ listenAddress }: Pick<RegistrySettings, "listenAddress">): string {
  return listenAddress === "0.0.0.0" ? "127.0.0.1" : listenAddress;
}
