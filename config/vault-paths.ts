import { sitesWithOwnSecret } from "./cluster.ts";
import type { Settings } from "./settings.ts";

/** A path in Vault, by the key of `vault` that names it. */
export interface VaultPath {
  readonly key: "sshKey" | "account" | "tls" | "cachePasswords" | "driveSync" | "kubeconfig";
  readonly path: string;
}

/** What decides which secrets are used. */
export type VaultUse = Pick<Settings, "vault" | "cluster"> & {
  readonly host: Pick<Settings["host"], "agentSocketPath" | "hostKey">;
  readonly caches: readonly { readonly username?: string | undefined }[];
};

/** Paths of which a field is used: a token need not be allowed to read any other, and none other is read. */
export function usedPaths({ host, vault, caches, cluster }: VaultUse): readonly VaultPath[] {
  const uses = {
    sshKey: host.agentSocketPath === undefined || host.hostKey === undefined,
    account: true,
    tls: true,
    cachePasswords: caches.some(({ username }) => username !== undefined),
    driveSync: sitesWithOwnSecret(cluster).length > 0,
    kubeconfig: cluster.enabled,
  } as const satisfies Record<VaultPath["key"], boolean>;
  return (Object.keys(uses) as VaultPath["key"][]).flatMap((key) => {
    const path = vault[key];
    return uses[key] && path !== undefined ? [{ key, path }] : [];
  });
}
