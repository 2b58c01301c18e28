import type { Finding } from "../../contract/scan-report.ts";
import { uploadsPath } from "../registry/paths.ts";
import type { UploadFact } from "../source/source.ts";
import { here, nextMark, unreadableMessage } from "./messages.ts";

/** The age from which an upload counts as given up: what the registry's own purge takes. Days. */
const staleAfterDays = 7;

const dayMilliseconds = 24 * 60 * 60 * 1000;

/** What is bad about an upload: nothing has been written for long, or it cannot be looked at. `now`: as in the facts. */
export function judgeUpload(
  registry: string,
  { repository, id, upload }: UploadFact,
  now: number,
): readonly Finding[] {
  const common = { kind: "upload", severity: "warning", registry, repository, digest: null } as const;
  const nobody = { parent: null, tags: [], platform: null, remedy: "none" } as const;
  if (upload.state === "unreadable")
    return [{ ...common, ...nobody, cause: "unreadable", message: unreadableMessage(upload) }];
  const touchedAt = Math.max(upload.startedAt ?? 0, upload.lastWrittenAt);
  if (now - touchedAt <= staleAfterDays * dayMilliseconds) return [];
  const since = new Date(touchedAt).toISOString().slice(0, 10);
  const message =
    `The upload ${id} has not been written to since ${since}; it holds ${upload.sizeBytes} bytes that nobody can pull.` +
    `${nextMark}${here}: rm -r ${uploadsPath("", repository)}/${id}`;
  return [{ ...common, ...nobody, cause: "stale", message }];
}
