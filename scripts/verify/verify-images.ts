import type { VerifiedImage, VerifyFinding } from "../../contract/verify-report.ts";
import { findBrokenParts, type ServedFacts } from "../graph/served-parts.ts";
import type { HttpRegistry } from "../source/http/registry.ts";
import type { Target } from "./args.ts";
import { collectLeaves, judgeImage } from "./judge-image.ts";
import { referrerMessage } from "./messages.ts";
import { type ImageFacts, readImage } from "./read-image.ts";
import { readReferrers } from "./read-referrers.ts";

interface Options {
  readonly platforms: readonly string[];
  readonly download: boolean;
  readonly concurrency: number;
}

/** What one look at one image came to. */
export type Look = Omit<VerifiedImage, "looks">;

/** Looks at one image once. */
export async function verifyImage(source: HttpRegistry, target: Target, options: Options): Promise<Look> {
  const { platforms, download, concurrency } = options;
  const { repository } = target;
  const facts = await readImage(source, target, { concurrency, download, wants: () => true });
  const leaves = collectLeaves(facts);
  const subjects = leaves.flatMap(({ digest, isAttestation }) => (isAttestation ? [] : [digest]));
  const all = [...new Set([...(facts.root === null ? [] : [facts.root]), ...subjects])];
  const referrers = await readReferrers(source, repository, all, concurrency);
  return {
    reference: target.text,
    registry: target.host,
    repository,
    digest: facts.root,
    platforms: leaves.map(({ promised: _, ...leaf }) => leaf),
    manifests: facts.served.manifests.size + referrers.manifests.size,
    blobs: facts.served.blobs.size + referrers.blobs.size,
    referrers: referrers.tags.filter(({ link }) => link.state === "linked").length,
    findings: [...judgeImage(facts, target.text, platforms), ...judgeReferrers(facts, referrers)],
  };
}

/** No client needs a referrer to run the image, so nothing about one is critical. */
function judgeReferrers({ served }: ImageFacts, referrers: ServedFacts): readonly VerifyFinding[] {
  const tags = served.tags.flatMap(({ name }) => name ?? []);
  const known: ReadonlySet<string | null> = new Set(served.manifests.keys());
  return findBrokenParts(referrers)
    .filter(({ digest }) => !known.has(digest))
    .map((finding) => ({
      ...finding,
      kind: "referrer",
      severity: "warning",
      tags,
      message: referrerMessage(finding.message),
    }));
}
