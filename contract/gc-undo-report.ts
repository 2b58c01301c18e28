import type { GcRemoved } from "./gc-report.ts";

/** The document that `regwarden gc --undo RUN --json` writes, version 1. Keys are always present. */
export const gcUndoReportSchema = "regwarden/gc-undo/v1";

export interface GcUndoReport {
  readonly schema: typeof gcUndoReportSchema;
  /** Name of the run in the quarantine. */
  readonly run: string;
  /** Whether anything was changed. */
  readonly applied: boolean;
  /** End of the undo, ISO 8601, UTC. */
  readonly finishedAt: string;
  readonly durationSeconds: number;
  /** What was put back; without `--apply`, what would be. */
  readonly putBack: GcRemoved;
  /** What stays in the quarantine, because the store has it again: it was pushed since. Paths from the directory. */
  readonly left: readonly { readonly path: string; readonly reason: string }[];
}
