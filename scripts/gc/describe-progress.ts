import type { MarkProgress } from "../mark/mark.ts";

/** One line about a mark that is at work, with how long it still takes as far as that is known. */
export function describeProgress(progress: MarkProgress): string {
  const { registry, blobs, repositories, allRepositories, tags, layerLinks, seconds } = progress;
  if (allRepositories === null) return `${registry}: ${blobs} blobs`;
  const share = allRepositories === 0 ? 1 : repositories / allRepositories;
  const left = share > 0 && share < 1 ? `, about ${Math.ceil((seconds / share) * (1 - share))} s left` : "";
  return `${registry}: ${blobs} blobs, ${repositories} of ${allRepositories} repositories, ${tags} tags, ${layerLinks} layer links${left}`;
}
