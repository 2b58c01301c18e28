import { layersPath, revisionsPath, tagsPath } from "../registry/paths.ts";
import { isUnreadable, listNames, writtenSince } from "../source/disk/files.ts";

/**
 * Whether a push may have written links of a repository since some time, milliseconds since 1970. A new link changes the
 * time of the directory of its algorithm; one that is written again changes its own. Each push of a manifest writes the
 * link of the manifest and that of its tag; a layer's link that was there before, a push writes for a blob that it keeps.
 *
 * What cannot be read counts as changed.
 */
export function hasChangedSince(dataDirectory: string, repository: string, since: number): boolean {
  const tags = tagsPath(dataDirectory, repository);
  return (
    hasChangedLinks(revisionsPath(dataDirectory, repository), since, true) ||
    hasChangedLinks(layersPath(dataDirectory, repository), since, false) ||
    writtenSince(tags, since) ||
    anyName(tags, (tag) => writtenSince(`${tags}/${tag}/current/link`, since))
  );
}

/** The links below a directory of the form `ALGORITHM/HEX/link`; `each`: also those that were written again. */
function hasChangedLinks(base: string, since: number, each: boolean): boolean {
  if (writtenSince(base, since)) return true;
  return anyName(base, (algorithm) => {
    const directory = `${base}/${algorithm}`;
    if (writtenSince(directory, since)) return true;
    return each && anyName(directory, (hex) => writtenSince(`${directory}/${hex}/link`, since));
  });
}

function anyName(directory: string, is: (name: string) => boolean): boolean {
  const names = listNames(directory);
  return isUnreadable(names) || names.some(is);
}
