import { type ExitCode, exitCodes } from "../../contract/exit-codes.ts";
import type { GcRefusal, GcReport } from "../../contract/gc-report.ts";

/** Refusals for want of knowledge: whether writes were held, what clients were told, what the file system did. */
const notChecked: ReadonlySet<GcRefusal | null> = new Set(["freeze", "touched", "moving"]);

/** The exit status that a report stands for. */
export function exitCodeOf({ complete, applied, registries, proof }: GcReport): ExitCode {
  if (!complete || registries.some(({ refusedFor }) => notChecked.has(refusedFor)))
    return exitCodes.couldNotCheck;
  const isRefused = registries.some(({ refused }) => refused !== null);
  const isPlanned = registries.some(
    ({ removed: { revisionLinks, layerLinks, blobs } }) => revisionLinks + layerLinks + blobs > 0,
  );
  const isLost = proof !== null && proof.lost.length > 0;
  return isRefused || isLost || (isPlanned && !applied) ? exitCodes.findings : exitCodes.clean;
}
