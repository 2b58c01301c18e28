/** The pull-through caches of every instance. */
export const cacheNames = ["dockerhub", "ghcr", "quay", "k8s", "kyverno"] as const;

/** All registries of an instance. */
export const registryNames = ["private", ...cacheNames] as const;
