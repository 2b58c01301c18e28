import { tagLinkPath, tagsPath } from "../../registry/paths.ts";
import { mapBounded } from "../bounded.ts";
import type { LinkFact, Unreadable } from "../source.ts";
import { filesAtATime, isUnreadable, listDirectory, mayBeDirectory } from "./files.ts";
import { readLink } from "./link.ts";

/** Tags of a repository with what they point at now. */
export async function* readTags(dataDirectory: string, repository: string): AsyncGenerator<LinkFact> {
  const found = mapBounded(listTags(dataDirectory, repository), filesAtATime, async (tag) => {
    if (typeof tag !== "string") return { name: null, link: tag };
    const link = await readLink(tagLinkPath(dataDirectory, repository, tag));
    return link && { name: tag, link };
  });
  for await (const fact of found) if (fact) yield fact;
}

async function* listTags(dataDirectory: string, repository: string): AsyncGenerator<string | Unreadable> {
  for await (const entry of listDirectory(tagsPath(dataDirectory, repository))) {
    if (isUnreadable(entry)) yield entry;
    else if (mayBeDirectory(entry)) yield entry.name;
  }
}
