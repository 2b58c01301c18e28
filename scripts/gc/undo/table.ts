import type { GcRemoved } from "../../../contract/gc-report.ts";
import type { GcUndoReport } from "../../../contract/gc-undo-report.ts";
import { counted } from "../../report/phrases.ts";
import { formatBytes } from "../table.ts";

/** What an undo did or would do, as people read it. */
export function renderUndo(report: GcUndoReport, directory: string): string {
  const { run, applied, putBack, left } = report;
  return [
    ...left.map(({ path, reason }) => `stays in the quarantine  ${path}: ${reason}\n`),
    applied ? `Run ${run} is undone: put back ` : `Undoing ${run} would put back `,
    `${describeThings(putBack)}.\n`,
    hintFor(report, directory),
  ].join("");
}

function hintFor({ run, applied, putBack }: GcUndoReport, directory: string): string {
  const { revisionLinks, layerLinks, blobs } = putBack;
  if (revisionLinks + layerLinks + blobs === 0) return "There is nothing to put back.\n";
  return applied
    ? "The next collection finds it dead again; to keep it, tag it before.\n"
    : `Nothing was changed. To do this: regwarden gc ${directory} --undo ${run} --apply\n`;
}

/** `2 manifest links, 1 layer link and 3 blobs of 1.5 GB`. */
export function describeThings({ revisionLinks, layerLinks, blobs, bytes }: GcRemoved): string {
  const links = `${counted(revisionLinks, "manifest link")}, ${counted(layerLinks, "layer link")}`;
  return `${links} and ${counted(blobs, "blob")} of ${formatBytes(bytes)}`;
}
