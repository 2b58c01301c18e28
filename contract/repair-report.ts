import type { Finding, Remedy } from "./finding.ts";

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
  /** For whom; a blob serves all other repositories too. */
  readonly repository: string;
  /** Only of a tag's link. */
  readonly tag: string | null;
  readonly digest: string;
  /** Of blobs. */
  readonly sizeBytes: number | null;
  /** Why what lies there now is of no use, where something does; it is kept in the undo area. */
  readonly replaces: string | null;
  /** Of blobs: where the content comes from, a registry of the same data root or a URL. */
  readonly from: string | null;
}

/** One thing that an image lacks. */
export interface LostPart {
  readonly what: "manifest" | "config" | "layer" | "revision-link" | "layer-link" | "tag-link";
  /** Null for a tag's link. */
  readonly digest: string | null;
  /** Of the image that needs it, from the index that names it. */
  readonly platform: string | null;
  /** In which way it is lost. */
  readonly cause: string;
  readonly remedy: "relink" | "recopy" | "rebuild";
}

/** One tag, or one manifest that no tag leads to, that is not whole. */
export interface RepairImage {
  readonly registry: string;
  readonly repository: string;
  /** Null: no tag leads to it, it can be pulled by its digest alone. */
  readonly tag: string | null;
  /** Null: nobody knows what the tag should hold. */
  readonly digest: string | null;
  readonly lost: readonly LostPart[];
  /** What makes it whole. With `rebuild` some of its platforms may come back all the same. */
  readonly remedy: "relink" | "recopy" | "rebuild";
  readonly wholeAfterwards: boolean;
  /** Positions in the list of changes. Two images may need the same change. */
  readonly changes: readonly number[];
  /** What to type for what this repair does not do. */
  readonly next: readonly string[];
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
  /** False when anything could not be looked at; then nothing is promised about it. */
  readonly complete: boolean;
  readonly images: readonly RepairImage[];
  readonly changes: readonly RepairChange[];
  /** Every finding of the scan before the repair. */
  readonly triage: readonly RepairTriage[];
  /** What could not be looked at while planning. */
  readonly problems: readonly string[];
  /** Null without `--apply`. */
  readonly outcome: RepairOutcome | null;
  /** Directory of the undo journal; null when nothing was changed. */
  readonly journal: string | null;
}
