import {
  repositoriesPath,
  repositoryMarks,
  repositoryNameLimit,
  repositoryPath,
} from "../../registry/paths.ts";
import type { RepositoryFact } from "../source.ts";
import { isUnreadable, listDirectory, mayBeDirectory, unreadable } from "./files.ts";

/** All repositories of a store. A directory is one by what lies in it, and may hold others as well. */
export async function* readRepositories(dataDirectory: string): AsyncGenerator<RepositoryFact> {
  yield* walk(dataDirectory, "");
}

async function* walk(dataDirectory: string, name: string): AsyncGenerator<RepositoryFact> {
  const path = name === "" ? repositoriesPath(dataDirectory) : repositoryPath(dataDirectory, name);
  // Also what ends a circle of symbolic links.
  if (name.length > repositoryNameLimit)
    return yield unreadable(path, "longer than a repository's name can be");
  const inner: string[] = [];
  let isRepository = false;
  for await (const entry of listDirectory(path)) {
    if (isUnreadable(entry)) yield* ignoreForeign(entry, name);
    else if (repositoryMarks.has(entry.name)) isRepository = true;
    else if (!entry.name.startsWith("_") && mayBeDirectory(entry)) inner.push(entry.name);
  }
  if (isRepository && name !== "") yield { state: "found", name };
  for (const part of inner.sort()) yield* walk(dataDirectory, name === "" ? part : `${name}/${part}`);
}

/** A symbolic link to a file was taken for a directory; the registry does not serve it either. */
function* ignoreForeign(
  fault: RepositoryFact & { state: "unreadable" },
  name: string,
): Generator<RepositoryFact> {
  if (name === "" || fault.reason !== "ENOTDIR") yield fault;
}
