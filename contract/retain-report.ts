/**
 * The document that `regwarden retain --json` writes, version 1, of a plan and of a run that applied it. Keys are always
 * present; what does not apply is null or an empty list. Times are ISO 8601, UTC.
 */
export const retainReportSchema = "regwarden/retain/v1";

/** `undecided`: whether it may go could not be found out, so it stays. */
export const retainDecisions = ["keep", "drop", "undecided"] as const;
export type RetainDecision = (typeof retainDecisions)[number];

/**
 * What decided about a tag. Of those that stay: a member of the rule's `keep`; `no-rule`; `own`: it is regwarden's;
 * `last`: else the repository would be empty; `subject`: the image that it is about stays; `young`: a signature that may be
 * ahead of its image's tag; `broken`: it leads nowhere, and only a scan says why. Of those that go: `rule`, none of whose
 * members holds, and `subject`. Of those that are undecided: one of {@link retainRefusals}.
 */
export const retainReasons = [
  "newest",
  "newestOf",
  "pushedWithin",
  "pulledWithin",
  "tags",
  "inUse",
  "all",
  "no-rule",
  "own",
  "last",
  "subject",
  "young",
  "broken",
  "rule",
] as const;

/**
 * Why less goes than the rules say. `in-use`, `access-log`: it cannot be used. `copied`: push times are those of a copy.
 * `clock`: a push is in the future. `unreadable`: a link or a manifest. `budget`: too much would go at one time. `history`:
 * the access log was begun later than the rule reaches back, and nothing is wrong but that. `freeze`: writes to the registry
 * could not be held.
 */
export const retainRefusals = [
  "in-use",
  "access-log",
  "copied",
  "clock",
  "unreadable",
  "budget",
  "history",
  "freeze",
] as const;
export type RetainRefusal = (typeof retainRefusals)[number];
export type RetainReason = (typeof retainReasons)[number] | RetainRefusal;

export interface RetainTag {
  readonly tag: string;
  /** Null where its link is of no use. */
  readonly digest: string | null;
  /** Of the last push. */
  readonly pushedAt: string | null;
  readonly decision: RetainDecision;
  readonly by: RetainReason;
  /** Number of the rule, counted from 1; null for `no-rule` and `own`. */
  readonly rule: number | null;
  /** Why, for people. */
  readonly text: string;
}

export interface RetainRepository {
  readonly name: string;
  readonly rule: number | null;
  readonly tags: readonly RetainTag[];
}

export interface RetainProblem {
  readonly registry: string;
  /** Null: the registry itself. */
  readonly repository: string | null;
  readonly reason: RetainRefusal;
  /** Tags that stay for this. */
  readonly tags: number;
  /** From when on a rule can decide that waits for `history`; null otherwise. */
  readonly until: string | null;
  /** A sentence. */
  readonly text: string;
}

export interface RetainRegistry {
  readonly name: string;
  readonly kept: number;
  /** Tags that go, or would. */
  readonly dropped: number;
  readonly undecided: number;
  /** Of `dropped`, those that this run moved out of the store. */
  readonly moved: number;
  readonly repositories: readonly RetainRepository[];
}

export interface RetainReport {
  readonly schema: typeof retainReportSchema;
  /** Time of the snapshot by which all was decided. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly durationSeconds: number;
  /** Directory of the run, for `--undo`; null when nothing was moved. */
  readonly run: string | null;
  readonly applied: boolean;
  /** False when anything could not be read that a rule needs, or the run was stopped. */
  readonly complete: boolean;
  readonly registries: readonly RetainRegistry[];
  /** Longest time for which writes were held; null when they were not. */
  readonly freezeSeconds: number | null;
  /** Why less goes than the rules say. */
  readonly refused: readonly RetainProblem[];
  /** Tags that were to go and stayed, as they changed meanwhile. */
  readonly stayed: readonly { readonly registry: string; readonly tag: string; readonly text: string }[];
}

/** The document that `regwarden retain --undo --json` writes, version 1. */
export const retainUndoReportSchema = "regwarden/retain-undo/v1";

export interface RetainUndoReport {
  readonly schema: typeof retainUndoReportSchema;
  readonly finishedAt: string;
  readonly durationSeconds: number;
  /** Directory of the run that is undone. */
  readonly run: string;
  readonly applied: boolean;
  /** REGISTRY/REPOSITORY:TAG of what comes back, or would. */
  readonly back: readonly string[];
  /** What stays as it is, with the reason. */
  readonly left: readonly { readonly tag: string; readonly text: string }[];
  /** Directory of the undo, by which it can be undone; null when nothing was moved. */
  readonly undo: string | null;
}

/** The document that `regwarden retain --purge --json` writes, version 1. */
export const retainPurgeReportSchema = "regwarden/retain-purge/v1";

export interface RetainPurgeReport {
  readonly schema: typeof retainPurgeReportSchema;
  readonly finishedAt: string;
  readonly applied: boolean;
  readonly runs: readonly {
    /** Directory of the run. */
    readonly run: string;
    readonly begunAt: string;
    readonly tags: number;
    /** `purge`: it is old enough. `written`: a push wrote to what was moved, so it stays. */
    readonly decision: "purge" | "young" | "written" | "unreadable";
  }[];
}
