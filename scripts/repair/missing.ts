import type { MissingFile } from "../../contract/repair-report.ts";
import type { Digest } from "../registry/digest.ts";
import { type CopiesFound, canBeWritten, copiesOf } from "./copies-found.ts";
import { childrenOf, type DamagedRepository, type Root } from "./damaged-repository.ts";
import { blobNeeds, type Need, ownNeed, wrongSizeOf } from "./needs.ts";

/** Everything that a tag or manifest lacks, each file once, from the top down. */
export function collectMissing(
  { tag, digest: top, fault }: Root,
  repository: DamagedRepository,
  copies: CopiesFound,
): readonly MissingFile[] {
  const missing = new Map<string, MissingFile>();
  const add = (file: MissingFile) => {
    const key = `${file.what} ${file.digest}`;
    if (!missing.has(key)) missing.set(key, file);
  };
  if (tag !== null && fault) {
    const { cause, reason } = fault;
    add({ what: "tag-link", digest: top, platform: null, cause, reason, remedy: top ? "relink" : "rebuild" });
  }
  const platforms = new Map<Digest, string | null>(top === null ? [] : [[top, null]]);
  // A map gives also what is added while it is walked.
  for (const [digest, platform] of platforms) {
    for (const need of [ownNeed(repository, digest), ...blobNeeds(repository, digest)])
      for (const file of missingOf(need, platform, copies)) add(file);
    for (const child of childrenOf(repository, digest)) {
      const reason = wrongSizeOf(repository, child);
      if (reason !== undefined) add(wrongSize(child.digest, child.platform, reason));
      if (!platforms.has(child.digest)) platforms.set(child.digest, child.platform ?? platform);
    }
  }
  return [...missing.values()];
}

function wrongSize(digest: Digest, platform: string | null, reason: string): MissingFile {
  return { what: "manifest", digest, platform, cause: "size-mismatch", reason, remedy: "rebuild" };
}

function missingOf(need: Need, platform: string | null, copies: CopiesFound): readonly MissingFile[] {
  const { digest, role, content, link } = need;
  const files: MissingFile[] = [];
  if (content) {
    const { cause, reason, canReplace } = content;
    const isFetched = copiesOf(need, copies).length > 0;
    const remedy = canReplace && canBeWritten(need, copies) ? (isFetched ? "recopy" : "relink") : "rebuild";
    files.push({ what: role, digest, platform, cause, reason, remedy });
  }
  if (link) {
    const { cause, reason } = link;
    const what = role === "manifest" ? "revision-link" : "layer-link";
    files.push({ what, digest, platform, cause, reason, remedy: "relink" });
  }
  return files;
}
