import { tagsPath } from "../../registry/paths.ts";
import { isTagName } from "../../registry/tag.ts";
import type { LinkFact, LinkState, ListOptions } from "../source.ts";
import { isUnreadable, listNames } from "./files.ts";
import { readLink } from "./link.ts";

/**
 * Tags of a repository with what they point at now.
 *
 * Every name in the directory of the tags is a tag for the registry, which lists names and checks no more.
 * Source: distribution v2.8.3, registry/storage/tagstore.go, All.
 */
export function* readTags(
  dataDirectory: string,
  repository: string,
  options: ListOptions = {},
): Generator<LinkFact> {
  const directory = tagsPath(dataDirectory, repository);
  const names = listNames(directory);
  if (isUnreadable(names)) return yield { name: null, link: names };
  for (const name of names) yield { name, link: readTag(directory, name, options) };
}

function readTag(directory: string, tag: string, options: ListOptions): LinkState {
  const location = `${directory}/${tag}/current/link`;
  if (!isTagName(tag))
    return { state: "invalid", location, reason: "lies under a name that no tag can have" };
  return readLink(location, options) ?? { state: "missing", location };
}
