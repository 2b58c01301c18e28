/** What `in-use --json` writes about a registry; the parts that are read by others. */
export function inUseDocument({
  now,
  images,
  complete = true,
  registries = [{ name: "registry.example:5050", complete }],
}: {
  /** When the run ended, milliseconds since 1970; it took a minute. */
  readonly now?: number;
  readonly images: readonly {
    readonly repository: string;
    readonly tag: string | null;
    readonly digest: string | null;
    readonly digests: readonly string[];
  }[];
  readonly complete?: boolean;
  readonly registries?: readonly { readonly name: string; readonly complete: boolean }[];
}) {
  return {
    schema: "regwarden/in-use/v1",
    finishedAt: new Date(now ?? Date.now()).toISOString(),
    durationSeconds: 60,
    complete,
    platforms: ["linux/amd64"],
    registries: registries.map((registry) => ({
      ...registry,
      images: images.length,
      workloads: 1,
      requests: 1,
    })),
    images: images.map(({ repository, ...rest }) => ({
      image: `registry.example:5050/${repository}`,
      registry: "registry.example:5050",
      repository,
      ...rest,
      workloads: [{ namespace: "default", kind: "Deployment", name: "app" }],
      isNeeded: true,
      state: "complete",
    })),
    otherImages: 0,
    broken: [],
    problems: [],
  };
}
