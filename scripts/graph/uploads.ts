import type { UploadFact } from "../source/source.ts";
import { detailOfUnreadable, type RawFinding } from "./raw-finding.ts";

/** The age from which an upload counts as given up: what the registry's own purge takes. Days. */
const staleAfterDays = 7;

const dayMilliseconds = 24 * 60 * 60 * 1000;

/** What is bad about an upload: not written to for long, or unreadable. `now`: as in the facts. */
export function checkUpload(
  registry: string,
  { repository, id, upload }: UploadFact,
  now: number,
): readonly RawFinding[] {
  const common = {
    kind: "upload",
    severity: "warning",
    registry,
    repository,
    digest: null,
    parent: null,
    tags: [],
    platform: null,
    remedy: "none",
  } as const;
  if (upload.state === "unreadable")
    return [{ ...common, cause: "unreadable", ...detailOfUnreadable(upload) }];
  const lastWrittenAt = Math.max(upload.startedAt ?? 0, upload.lastWrittenAt);
  if (now - lastWrittenAt <= staleAfterDays * dayMilliseconds) return [];
  const { sizeBytes } = upload;
  return [{ ...common, cause: "stale", place: id, detail: { upload: { sizeBytes, lastWrittenAt } } }];
}
