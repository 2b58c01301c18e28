import { privateRegistry } from "../../contract/registries.ts";
import type { RetentionRules } from "../../contract/retention-rules.ts";

/** A pull-through cache of another registry. */
export interface CacheSettings {
  /** DNS label; names the container, the data directory and the metrics path. */
  readonly name: string;
  readonly port: number;
  /** With scheme, no path. */
  readonly remoteUrl: string;
  /** Account at the remote; its password is a secret and stands elsewhere. */
  readonly username?: string | undefined;
  /** Networks that may pull; left out: every address. */
  readonly allowFrom?: readonly string[] | undefined;
}

/** What a container may use at most. */
export interface ContainerLimits {
  /** With unit Mi or Gi. */
  readonly memory: string;
  readonly processes: number;
}

/** The way out of the host's network, for containers that fetch from elsewhere. */
export interface OutboundProxy {
  /** `http://HOST:PORT` or https. */
  readonly url: string;
  /** Names, addresses and networks that are reached without it. */
  readonly noProxy: readonly string[];
}

/** `plan`: what would go is counted and shown. `apply`: it goes. */
export type MaintenanceMode = "plan" | "apply";

/** Which tags stay, and when that is decided. */
export interface RetentionSettings extends RetentionRules {
  /** Calendar expression of systemd. */
  readonly onCalendar: string;
  readonly mode: MaintenanceMode;
}

/** When and how what no tag needs is removed. Times like 24h or 7d. */
export interface CollectionSettings {
  /** Calendar expression of systemd. */
  readonly onCalendar: string;
  readonly mark: { readonly onCalendar: string };
  readonly mode: MaintenanceMode;
  /** How much one run may remove at most: a share like 30%. */
  readonly budget: string;
  readonly deadFor: string;
  readonly grace: string;
  readonly overwritten: string;
  readonly quarantineDays: number;
}

/** Another machine that keeps copies of the private registry's store. */
export interface BackupSettings {
  /** DNS name or IPv4 address. */
  readonly address: string;
  readonly sshPort: number;
  readonly sshUser: string;
  /** `TYPE BASE64`. */
  readonly hostKey: string;
  /** There, absolute: one directory a copy lies in it. */
  readonly directory: string;
  /** Calendar expression of systemd. */
  readonly onCalendar: string;
}

/** Images of the private registry that are copied out of its store. */
export interface BreakGlassSettings {
  /** `REPOSITORY:TAG` each. */
  readonly images: readonly string[];
  /** On the host, absolute: one copy an image lies in it. */
  readonly directory: string;
  /** Calendar expression of systemd. */
  readonly onCalendar: string;
}

/** Where another program on the host renews the certificate. */
export interface TlsOnHost {
  /** The leaf, then its chain. */
  readonly certificate: string;
  readonly privateKey: string;
}

/** What decides what the registry host is. Plain values only: the secrets are apart. */
export interface RegistrySettings {
  /** Where everything lies on the host, absolute, no trailing slash. */
  readonly directory: string;
  /** Directory that must be a mount point: the private registry's data lies on it. */
  readonly dataMount?: string | undefined;
  /** DNS name of the private registry and the UI; the certificate names it. */
  readonly hostname: string;
  /** IPv4 address that the ports are published on. */
  readonly listenAddress: string;
  readonly private: {
    readonly port: number;
    /** Account that may pull and never write; its password is a secret and stands elsewhere. */
    readonly pullUser?: string | undefined;
  };
  readonly caches: readonly CacheSettings[];
  /** What nginx keeps of the caches' blobs, with unit Mi or Gi: at most `size`, and less where the disk has less than `minFree`. */
  readonly blobCache: { readonly size: string; readonly minFree: string };
  readonly limits: {
    /** Of each registry. */
    readonly registry: ContainerLimits;
    readonly nginx: ContainerLimits;
    readonly ui: ContainerLimits;
  };
  /** Left out: certificate and key are among the secrets. */
  readonly tlsOnHost?: TlsOnHost | undefined;
  /** For the caches; left out: they reach their remotes directly. */
  readonly outboundProxy?: OutboundProxy | undefined;
  readonly images: {
    readonly registry: string;
    readonly nginx: string;
    readonly ui: string;
    readonly node: string;
  };
  readonly ui: { readonly enabled: boolean; readonly port: number; readonly title: string };
  readonly metrics: { readonly port: number };
  readonly scan: { readonly onCalendar: string };
  readonly retention: RetentionSettings;
  readonly collection: CollectionSettings;
  /** Left out: no copies are made. */
  readonly backup?: BackupSettings | undefined;
  /** Left out: no image is copied. */
  readonly breakGlass?: BreakGlassSettings | undefined;
  /** What clients call the registry in the list of images in use, HOST[:PORT]; left out: there is no such list. */
  readonly inUseAs?: string | undefined;
}

/** All registries by name, the caches first. */
export function registryNames(settings: Pick<RegistrySettings, "caches">): string[] {
  return [...settings.caches.map(({ name }) => name), privateRegistry];
}

/** Where a program on the host itself reaches the published ports. */
export function localAddress({ listenAddress }: Pick<RegistrySettings, "listenAddress">): string {
  return listenAddress === "0.0.0.0" ? "127.0.0.1" : listenAddress;
}

/** An amount as nginx and Docker write it, both in powers of two: `512Mi` as `512m`. */
export function lowerUnit(amount: string): string {
  return amount.replace("Mi", "m").replace("Gi", "g");
}
