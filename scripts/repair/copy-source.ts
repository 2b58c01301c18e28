import { type HttpRegistryOptions, httpRegistry } from "../source/http/registry.ts";
import type { RegistrySource, StoreSource } from "../source/source.ts";
import type { VerifiedBlobs } from "../source/verified-blobs.ts";
import type { FromAddress } from "./args.ts";

/** A registry that may hold what a store lost. */
export interface CopySource {
  /** Unique; what reports call it. */
  readonly label: string;
  /** Its answers about blobs are worth what a plan promises: by every byte on a disk, by their length over HTTP. */
  readonly source: Pick<RegistrySource, "manifest" | "blob" | "content">;
  /** The repository to ask for what `repository` lost. */
  readonly repositoryFor: (repository: string) => string;
}

/** Another registry of the same data root, such as a cache that once fetched the same layer. */
export function storeCopySource(store: StoreSource, verified: VerifiedBlobs): CopySource {
  return {
    label: store.name,
    source: { ...store, blob: (_repository, digest) => verified(digest) },
    // A store has its blobs for all repositories: each digest is asked for once.
    repositoryFor: () => "",
  };
}

/** A healthy registry, over HTTP, one request at a time. */
export function servedCopySource(
  { origin, repository }: FromAddress,
  options: Pick<HttpRegistryOptions, "account" | "timeoutSeconds">,
): CopySource {
  return {
    label: repository === null ? origin : `${origin}/${repository}`,
    source: httpRegistry({ name: origin, origin, concurrency: 1, ...options }),
    repositoryFor: (name) => repository ?? name,
  };
}
