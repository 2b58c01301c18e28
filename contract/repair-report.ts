import type { Finding, FindingCause, Remedy } from "./finding.ts";

/** The document that `regwarden repair --json` writes, version 1. Keys are always present. */
export const repairReportSchema = "regwarden/repair/v1";

/** What a change writes. */
export const repairChangeKinds = [
  /** The content of a blob, for all repositories of a registry. */
  "blob",
  /** A repository's permission to serve a blob. */
  "layer-link",
  /** A repository's permission to serve a manifest. */
  "revision-link",
  /** What a tag points at now. */
  "tag-link",
] as const;
export type RepairChangeKind = (typeof repairChangeKinds)[number];

/** One file that is written. */
export interface RepairChange {
  readonly kind: RepairChangeKind;
  readonly registry: string;
  /** For which repository; a blob serves all others of the registry too. */
  readonly repository: string;
  /** Only of a tag's link. */
  readonly tag: string | null;
  /** As images name it. */
  readonly digest: string;
  /**
   * The digest that the link holds, or under which the blob is stored. Another one than `digest` only of what was pushed
   * under another algorithm than the store's own.
   */
  readonly target: string;
  /** Of blobs. */
  readonly sizeBytes: number | null;
  /** Why the file that is there is of no use, where one is; it is kept in the undo area. */
  readonly replaces: string | null;
  /** Of blobs: the source of the content, a registry of the same data root or a URL. Null of the empty blob, too. */
  readonly from: string | null;
}

/** One file that an image needs and that is missing, or is of no use. */
export interface MissingFile {
  readonly what: "manifest" | "config" | "layer" | "revision-link" | "layer-link" | "tag-link";
  /** Null for a tag's link of which it is unknown where it should lead. */
  readonly digest: string | null;
  /** Of the image that needs it, from the index that names it. */
  readonly platform: string | null;
  readonly cause: FindingCause;
  /** The cause in words: half a sentence that goes on where the file is named. */
  readonly reason: string;
  /** `relink`: nothing must be fetched for it. */
  readonly remedy: "relink" | "recopy" | "rebuild";
}

/** One tag, or one manifest that no tag leads to, that is not complete. */
export interface RepairImage {
  readonly registry: string;
  readonly repository: string;
  /** Null: no tag leads to it, it can be pulled by its digest alone. */
  readonly tag: string | null;
  /** Null: it is unknown what the tag should hold. */
  readonly digest: string | null;
  readonly missing: readonly MissingFile[];
  /** What makes it complete. With `rebuild` some of its platforms may come back all the same. */
  readonly remedy: "relink" | "recopy" | "rebuild";
  readonly completeAfterwards: boolean;
  /** Positions in the list of changes. Two images may need the same change. */
  readonly changes: readonly number[];
  /** What to type for what this repair does not do. */
  readonly hints: readonly string[];
}

/** What becomes of one finding of the scan. */
export interface RepairTriage {
  readonly finding: Finding;
  /** By what is planned here; `remove-link` and `none` are listed for people, repair removes nothing. */
  readonly remedy: Remedy;
}

/** What `--apply` came to. */
export interface RepairOutcome {
  /** Changes that were made. */
  readonly made: number;
  /** What was not made, and why. */
  readonly failures: readonly string[];
  /** What a scan finds now. */
  readonly left: readonly Finding[];
}

export interface RepairReport {
  readonly schema: typeof repairReportSchema;
  /** End of the run, ISO 8601, UTC. */
  readonly finishedAt: string;
  readonly durationSeconds: number;
  /** False when anything could not be checked; then nothing is known about it. */
  readonly complete: boolean;
  readonly images: readonly RepairImage[];
  readonly changes: readonly RepairChange[];
  /** Every finding of the scan before the repair. */
  readonly triage: readonly RepairTriage[];
  /** What could not be checked while planning. */
  readonly problems: readonly string[];
  /** Null without `--apply`. */
  readonly outcome: RepairOutcome | null;
  /** Directory of the undo journal; null when nothing was changed. */
  readonly journal: string | null;
}
