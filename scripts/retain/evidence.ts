import type { LogCoverage } from "../access-log/coverage.ts";
import type { PullTimes } from "../access-log/last-pulls.ts";
import type { InUseList } from "../in-use-list/check-in-use.ts";
import type { Digest } from "../registry/digest.ts";

/** What rules go by beside the tags themselves. */
export interface Evidence {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Undefined: no access log was given. */
  readonly pulls:
    | { readonly repositories: ReadonlyMap<string, PullTimes>; readonly coverage: LogCoverage }
    | undefined;
  /** Undefined: no list was given. */
  readonly inUse: InUseList | undefined;
}

/** The manifests that one leads to, itself included. */
export interface Contents {
  /** The manifest itself, also by the digest by which the store keeps it, and what it is about, and that in turn. */
  readonly about: ReadonlySet<Digest>;
  readonly digests: ReadonlySet<Digest>;
  /** Why there may be more; undefined: these are all. Half a sentence. */
  readonly fault: string | undefined;
}

/** Undefined for a manifest that was not asked for. */
export type ContentsOf = (digest: Digest) => Contents | undefined;
