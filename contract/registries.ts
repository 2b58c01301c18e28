/** Name of the registry that holds what exists nowhere else; the caches can fetch theirs again. */
export const privateRegistry = "private";

/** The pull-through caches of a stack that names no others, with their published ports. */
export const defaultCaches = [
  { name: "dockerhub", port: 5000, remoteUrl: "https://registry-1.docker.io" },
  { name: "ghcr", port: 5010, remoteUrl: "https://ghcr.io" },
  { name: "quay", port: 5020, remoteUrl: "https://quay.io" },
  { name: "k8s", port: 5030, remoteUrl: "https://registry.k8s.io" },
  { name: "kyverno", port: 5040, remoteUrl: "https://reg.kyverno.io" },
] as const;

/** Where the check of the images in use puts its list, for the maintenance on the VM. */
export const inUseReference = { repository: "regwarden/in-use", tag: "latest" } as const;

/** The image by which the programs recognise the private registry: an empty one that is pushed once and stays. */
export const sentinelReference = { repository: "regwarden/sentinel", tag: "1" } as const;
