import {
  repositoriesPath,
  repositoryMarks,
  repositoryNameLimit,
  repositoryPath,
  uploadsName,
} from "../../registry/paths.ts";
import type { RepositoryFact } from "../source.ts";
import { isUnreadable, listEntries, mayBeDirectory, unreadable } from "./files.ts";

/** All repositories of a store. A directory is one by what lies in it, and may hold others as well. */
export function* readRepositories(dataDirectory: string): Generator<RepositoryFact> {
  for (const location of walkNames(dataDirectory, "")) {
    if (location.state === "unreadable") yield location;
    else if (location.isRepository) yield { state: "found", name: location.name };
  }
}

/** A directory that the name of a repository can lead to. */
interface Place {
  readonly state: "found";
  readonly name: string;
  readonly isRepository: boolean;
  /** Also where nothing but an upload was ever begun. */
  readonly hasUploads: boolean;
}

/** All directories among the repositories, in the order of their names, level by level. */
export function* walkNames(
  dataDirectory: string,
  name: string,
): Generator<Place | Extract<RepositoryFact, { state: "unreadable" }>> {
  const path = name === "" ? repositoriesPath(dataDirectory) : repositoryPath(dataDirectory, name);
  // Also what ends a circle of symbolic links.
  if (name.length > repositoryNameLimit)
    return yield unreadable(path, "longer than a repository's name can be");
  const entries = listEntries(path);
  if (isUnreadable(entries)) {
    // A symbolic link to a file was taken for a directory; the registry does not serve it either.
    if (name === "" || entries.reason !== "ENOTDIR") yield entries;
    return;
  }
  const isRepository = name !== "" && entries.some((entry) => repositoryMarks.has(entry.name));
  const hasUploads = entries.some((entry) => entry.name === uploadsName);
  if (name !== "") yield { state: "found", name, isRepository, hasUploads };
  const inner = entries.filter((entry) => !entry.name.startsWith("_") && mayBeDirectory(entry));
  for (const part of inner.map((entry) => entry.name).sort())
    yield* walkNames(dataDirectory, name === "" ? part : `${name}/${part}`);
}
