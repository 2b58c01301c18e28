import { tagsPath } from "../../registry/paths.ts";
import { isTagName } from "../../registry/tag.ts";
import type { LinkFact, LinkState } from "../source.ts";
import { isUnreadable, listNames } from "./files.ts";
import { readLink } from "./link.ts";

/**
 * Tags of a repository with what they point at now.
 *
 * Whatever lies in the directory of the tags is one for the registry, which lists names and looks no further.
 * Source: distribution v2.8.3, registry/storage/tagstore.go, All.
 */
export async function* readTags(dataDirectory: string, repository: string): AsyncGenerator<LinkFact> {
  const directory = tagsPath(dataDirectory, repository);
  const names = listNames(directory);
  if (isUnreadable(names)) return yield { name: null, link: names };
  for (const name of names) yield { name, link: readTag(directory, name) };
}

function readTag(directory: string, tag: string): LinkState {
  const place = `${directory}/${tag}/current/link`;
  if (!isTagName(tag)) return { state: "invalid", place, reason: "lies under a name that no tag can have" };
  return readLink(place) ?? { state: "invalid", place, reason: "is missing", isMissing: true };
}
