import type { RegistryMode } from "../../contract/scan-report.ts";
import type { Digest } from "../registry/digest.ts";
import type { BlobState, LinkFact, ManifestState } from "../source/source.ts";

/** Everything that was read about one repository: all that the graph ever looks at. */
export interface RepositoryFacts {
  readonly registry: string;
  readonly mode: RegistryMode;
  readonly repository: string;
  readonly tags: readonly LinkFact[];
  readonly revisions: readonly LinkFact[];
  readonly layerLinks: readonly LinkFact[];
  /** Of all linked manifests and of all that these lead to, linked or not. */
  readonly manifests: ReadonlyMap<Digest, ManifestState>;
  /** Any blob of the store. An unreadable one is reported with the store, once, not with each link to it. */
  readonly blob: (digest: Digest) => BlobState;
}
