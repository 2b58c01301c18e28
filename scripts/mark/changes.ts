import { layersPath, revisionsPath, tagsPath } from "../registry/paths.ts";
import { isUnreadable, listNames, writtenSince } from "../source/disk/files.ts";

/**
 * Whether a push may have written links of a repository since some time, milliseconds since 1970. A new link changes the
 * time of the directory of its algorithm; one that is written again changes its own. Each push of a manifest writes the
 * link of the manifest and that of its tag; a layer's link that was there before, a push writes for a blob that it keeps.
 *
 * `manifestsSince`: an earlier time, for the links of manifests. What cannot be read counts as changed.
 */
export function hasChangedSince(
  dataDirectory: string,
  repository: string,
  since: number,
  manifestsSince: number,
): boolean {
  const tags = tagsPath(dataDirectory, repository);
  const revisions = revisionsPath(dataDirectory, repository);
  return (
    hasNewLinks(revisions, since) ||
    hasNewLinks(layersPath(dataDirectory, repository), since) ||
    writtenSince(tags, since) ||
    anyName(tags, (tag) => writtenSince(`${tags}/${tag}/current/link`, since)) ||
    anyName(revisions, (algorithm) =>
      anyName(`${revisions}/${algorithm}`, (hex) =>
        writtenSince(`${revisions}/${algorithm}/${hex}/link`, manifestsSince),
      ),
    )
  );
}

/** Below a directory of the form `ALGORITHM/HEX/link`. */
function hasNewLinks(base: string, since: number): boolean {
  return (
    writtenSince(base, since) || anyName(base, (algorithm) => writtenSince(`${base}/${algorithm}`, since))
  );
}

function anyName(directory: string, is: (name: string) => boolean): boolean {
  const names = listNames(directory);
  return isUnreadable(names) || names.some(is);
}
