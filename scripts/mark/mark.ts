import type { GcDamage } from "../../contract/gc-report.ts";
import type { RetentionRules } from "../../contract/retention-rules.ts";
import type { Digest } from "../registry/digest.ts";
import type { Share } from "../source/source.ts";
import type { Ages } from "./ages.ts";
import type { MarkEngines } from "./mark-engine.ts";
import type { Thing } from "./thing.ts";

/** What a mark goes by. Times are milliseconds. */
export interface MarkOptions {
  /** Begin of the mark, milliseconds since 1970, before anything is read. @default the clock's */
  readonly startedAt?: number;
  /** Younger links and blobs are spared. */
  readonly graceMs: number;
  /** A digest that a tag pointed to within this time is a root. */
  readonly overwrittenMs: number;
  /** Rules of retention, whose `overwritten` goes before {@link overwrittenMs}; undefined: none. */
  readonly retention?: RetentionRules["rules"] | undefined;
  /** Manifests that run somewhere: roots in each repository that links them. */
  readonly inUse: ReadonlySet<Digest>;
  /** Whether {@link RegistryMark.faulty} is wanted. @default false */
  readonly findsFaults?: boolean;
  /** For how long marks must have found a thing unreached, until it is dead. */
  readonly deadForMs: number;
  /** What earlier marks found; undefined: there was none. */
  readonly ages?: Ages | undefined;
  /** Digests that are this run's; undefined: all. */
  readonly shard?: Share | undefined;
  /** That read side by side; 0: none but this one. @default by the size of the store */
  readonly threads?: number;
  /** What reads the stores, and goes on after the mark; undefined: threads that end with it. */
  readonly engines?: MarkEngines;
  readonly onProgress?: (progress: MarkProgress) => void;
}

/** How far a mark has come. */
export interface MarkProgress {
  readonly registry: string;
  readonly blobs: number;
  readonly repositories: number;
  /** Null until they are listed. */
  readonly allRepositories: number | null;
  readonly tags: number;
  readonly layerLinks: number;
  /** Since the begin of the mark. */
  readonly seconds: number;
}

/** A part of a store that could not be read, or of which it is unknown what it needs. */
export type Damage = GcDamage;

/** Which links and blobs of one store are reached from its roots, and which are not. */
export interface RegistryMark {
  readonly registry: string;
  readonly dataDirectory: string;
  /** Whose digests it holds; undefined: all. */
  readonly shard?: Share | undefined;
  /** What was written since may be missing in it. Milliseconds since 1970. */
  readonly startedAt: number;
  /** What the roots need, and what damage keeps. `manifests`: links. */
  readonly kept: { readonly manifests: number; readonly blobs: number; readonly bytes: number };
  /** All links and blobs of the store, for shares of them. */
  readonly total: {
    readonly revisionLinks: number;
    readonly layerLinks: number;
    readonly blobs: number;
    readonly bytes: number;
    /** Links of each repository that has any dead. */
    readonly linksOf: ReadonlyMap<string, number>;
  };
  /** Neither reached nor young: what the ledger holds from now on. */
  readonly unreached: readonly Thing[];
  /**
   * Of these, what may be removed: unreached for long enough, needed by nothing that is spared, and not kept for damage.
   * Links first.
   */
  readonly dead: readonly Thing[];
  /** Things that are unreached and not dead. */
  readonly spared: { readonly young: number; readonly notDeadLongEnough: number; readonly bytes: number };
  readonly damage: readonly Damage[];
  /** Repositories of which a scan of the same files would have findings; none where that was not asked. */
  readonly faulty: readonly string[];
  /** Whether a blob is needed by any repository, or by anything that is spared. By its canonical digest. */
  readonly isReached: (blob: Digest) => boolean;
  /** Tags (REPOSITORY:TAG) of which everything is there, with the manifest that each leads to. */
  readonly completeTags: ReadonlyMap<string, Digest>;
}
