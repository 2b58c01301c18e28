import type { VerifiedImage } from "../../contract/verify-report.ts";
import { collectLeaves, findImageFaults } from "../graph/image.ts";
import type { RawFinding } from "../graph/raw-finding.ts";
import { findServedFaults } from "../graph/served.ts";
import { describeFindings } from "../report/describe-finding.ts";
import type { RepositoryFacts } from "../source/facts.ts";
import type { HttpRegistry } from "../source/http/registry.ts";
import { type ImageFacts, readImage } from "../source/read-image.ts";
import type { Target } from "./args.ts";
import { readReferrers } from "./read-referrers.ts";

interface Options {
  readonly platforms: readonly string[];
  readonly download: boolean;
  readonly concurrency: number;
}

/** Result of one check of one image. */
export type ImageCheck = Omit<VerifiedImage, "checks">;

/** Checks one image once. */
export async function verifyImage(
  source: HttpRegistry,
  target: Target,
  { platforms, download, concurrency }: Options,
): Promise<ImageCheck> {
  const { repository } = target;
  const facts = await readImage(source, target, { concurrency, download, wants: () => true });
  const leaves = collectLeaves(facts);
  const subjects = leaves.flatMap(({ digest, isAttestation }) => (isAttestation ? [] : [digest]));
  const all = [...new Set([...(facts.root === null ? [] : [facts.root]), ...subjects])];
  const referrers = await readReferrers(source, repository, all, concurrency);
  const found = [...findImageFaults(facts, target.text, platforms), ...findReferrerFaults(facts, referrers)];
  return {
    reference: target.text,
    registry: target.host,
    repository,
    digest: facts.root,
    platforms: leaves.map(({ promised: _, ...leaf }) => leaf),
    manifests: facts.served.manifests.size + referrers.manifests.size,
    blobs: countBlobs(facts.served) + countBlobs(referrers),
    referrers: countReferrers(referrers),
    findings: describeFindings(found, "registry"),
  };
}

function countBlobs({ manifests }: RepositoryFacts): number {
  const named = [...manifests.values()].flatMap((state) =>
    state.state === "parsed" ? state.manifest.blobs.map(({ digest }) => digest) : [],
  );
  return new Set(named).size;
}

function countReferrers({ tags, roots = [] }: RepositoryFacts): number {
  return tags.filter(({ link }) => link.state === "linked").length + roots.length;
}

/** No client needs a referrer to run the image, so nothing about one is critical. */
function findReferrerFaults({ served }: ImageFacts, referrers: RepositoryFacts): readonly RawFinding[] {
  const tags = served.tags.flatMap(({ name }) => name ?? []);
  const known: ReadonlySet<string | null> = new Set(served.manifests.keys());
  return findServedFaults(referrers)
    .filter(({ digest }) => !known.has(digest))
    .map((finding) => {
      const [tag] = finding.kind === "tag" ? finding.tags : [];
      const referrer = { part: finding.kind, ...(tag !== undefined && { tag }) };
      const detail = { ...finding.detail, referrer };
      return { ...finding, kind: "referrer", severity: "warning", tags, detail };
    });
}
