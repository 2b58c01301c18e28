import { statSync } from "node:fs";
import { join } from "node:path";
import { systemCode } from "../../cli/errors.ts";
import { uploadsPath } from "../../registry/paths.ts";
import type { UploadFact } from "../source.ts";
import { isUnreadable, listNames, readShort, unreadable } from "./files.ts";
import { walkNames } from "./repository.ts";

/** All uploads that were begun and not ended, also in directories that are no repository yet. */
export function* readUploads(dataDirectory: string): Generator<UploadFact> {
  // What is unreadable is reported with the list of repositories.
  for (const location of walkNames(dataDirectory, ""))
    if (location.state === "found" && location.hasUploads)
      yield* readRepository(dataDirectory, location.name);
}

function* readRepository(dataDirectory: string, repository: string): Generator<UploadFact> {
  const directory = uploadsPath(dataDirectory, repository);
  const names = listNames(directory);
  if (isUnreadable(names)) return yield { repository, id: null, upload: names };
  for (const id of names) {
    const upload = readUpload(join(directory, id));
    if (upload) yield { repository, id, upload };
  }
}

/** Undefined when it ended meanwhile. */
function readUpload(path: string): UploadFact["upload"] | undefined {
  const startedAt = readShort(join(path, "startedat"));
  if (startedAt !== undefined && typeof startedAt !== "string") return startedAt;
  try {
    // Only the directory's time says something where the first write never came, or the time of the start is lost.
    const written = statSync(join(path, "data"), { throwIfNoEntry: false }) ?? statSync(path);
    const started = Date.parse(startedAt ?? "");
    return {
      state: "begun",
      startedAt: Number.isNaN(started) ? null : started,
      lastWrittenAt: written.mtimeMs,
      sizeBytes: written.isFile() ? written.size : 0,
    };
  } catch (error) {
    return systemCode(error) === "ENOENT" ? undefined : unreadable(path, error);
  }
}
