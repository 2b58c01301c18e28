/**
 * The document that `regwarden gc --json` writes, version 1, of a plan and of a run that applied it. Keys are always
 * present; what does not apply is null or an empty list.
 */
export const gcReportSchema = "regwarden/gc/v1";

/**
 * Why less was removed of a registry than was dead. `budget`: more than a run may remove. `damage`: what a part of the
 * store needs is unknown, so no blob is removed. `touched`: which digests clients were told about is unknown. `freeze`:
 * writes could not be held, or not for long enough. `moving`: the file system refused a move. `proof`: a tag that was
 * complete was not so afterwards; everything was put back.
 */
export const gcRefusals = ["budget", "damage", "touched", "freeze", "moving", "proof"] as const;
export type GcRefusal = (typeof gcRefusals)[number];

/** Counts of links and blobs, and the bytes of the blobs. */
export interface GcRemoved {
  readonly revisionLinks: number;
  readonly layerLinks: number;
  readonly blobs: number;
  readonly bytes: number;
}

/** What a damage keeps: the damaged link alone, all that its repository links, or all blobs of the registry as well. */
export const gcDamageKeeps = ["link", "repository", "blobs"] as const;
export type GcDamageKeeps = (typeof gcDamageKeeps)[number];

/** A part of a store that could not be read, or of which it is unknown what it needs. */
export interface GcDamage {
  /** Null: the store itself. */
  readonly repository: string | null;
  /** Path, or the digest of a manifest. */
  readonly place: string;
  /** Half a sentence that goes on where the place is named. */
  readonly reason: string;
  readonly keeps: GcDamageKeeps;
  /** It could not be read, so the report is not complete. */
  readonly isUnreadable: boolean;
}

/** What a repository loses. */
export interface GcRepository {
  readonly name: string;
  readonly revisionLinks: number;
  readonly layerLinks: number;
  /** Links that are spared. */
  readonly spared: number;
}

/** What was known of earlier marks. */
export interface GcLedger {
  /** `read`: things are dead since when it says. `begun`: there was none that could be used; `why` says so. `none`: asked for. */
  readonly state: "read" | "begun" | "none";
  readonly why: string | null;
  /** Time of the mark before this one, ISO 8601, UTC; null without one. */
  readonly lastMarkAt: string | null;
  /** Things in it after this mark. */
  readonly entries: number;
  /** Whether it holds this mark now; else the next run begins where this one did. */
  readonly written: boolean;
}

export interface GcRegistry {
  readonly name: string;
  /** What tags, digests in use and digests that were overwritten lately need: manifest links, and blobs with their bytes. */
  readonly kept: { readonly manifests: number; readonly blobs: number; readonly bytes: number };
  /** What goes: was moved into the quarantine, or would be. With a `refused` plan, what would have been. */
  readonly removed: GcRemoved;
  /** Things that nothing needs and that stay: links and blobs. */
  readonly spared: {
    readonly young: number;
    readonly touched: number;
    readonly notDeadLongEnough: number;
    /** Dead, and left for the next run: writes could not be held for longer. */
    readonly outOfTime: number;
    /** Bytes of the blobs among them. */
    readonly bytes: number;
  };
  /** Those that lose anything, most links first. */
  readonly repositories: readonly GcRepository[];
  /** Sentences for people; null when all that is dead goes. */
  readonly refused: string | null;
  readonly refusedFor: GcRefusal | null;
  readonly damage: readonly GcDamage[];
  readonly ledger: GcLedger;
}

export interface GcReport {
  readonly schema: typeof gcReportSchema;
  /** Name of the run in the quarantine, for `--undo`; null when nothing was moved. */
  readonly run: string | null;
  readonly applied: boolean;
  /** False when anything could not be read. */
  readonly complete: boolean;
  /** Begin and end of the run, ISO 8601, UTC. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly durationSeconds: number;
  /** Of `--shard INDEX/COUNT`, counted from 1; 1 of 1 for the whole. */
  readonly shard: { readonly index: number; readonly count: number };
  readonly registries: readonly GcRegistry[];
  /** For how long writes were held; null when they were not. */
  readonly freezeSeconds: number | null;
  /** How often it was tried to hold writes; null when it was not. */
  readonly freezeTries: number | null;
  /** Tags that were complete before, and those of them that are not any more; null without `--apply`. */
  readonly proof: { readonly tags: number; readonly lost: readonly string[] } | null;
}
