import { type InUseReason, inUseReasons } from "../../contract/in-use-report.ts";
import { collectLeaves, findImageFaults, type Leaf } from "../graph/image.ts";
import type { RawFinding } from "../graph/raw-finding.ts";
import type { Digest } from "../registry/digest.ts";
import { serves } from "../registry/platform.ts";
import type { HttpRegistry } from "../source/http/registry.ts";
import { type ImageFacts, type ImageName, readImage } from "../source/read-image.ts";
import type { ImageUse } from "./collect-uses.ts";

/** Result of the check of one use of an image. */
export interface Verdict {
  readonly use: ImageUse;
  /** Null: nothing is wrong, as far as it could be checked. */
  readonly reason: InUseReason | null;
  readonly findings: readonly RawFinding[];
}

/** Result of the check of one image. */
export interface ImageCheck {
  /** What the name leads to; null when it leads nowhere, or could not be read. */
  readonly root: Digest | null;
  readonly verdicts: readonly Verdict[];
}

/** Checks one image for all its uses: once, and for no platform that no node has. */
export async function checkImage(
  source: HttpRegistry,
  name: ImageName,
  uses: readonly ImageUse[],
  concurrency: number,
): Promise<ImageCheck> {
  const platforms = [...new Set(uses.flatMap((use) => use.platforms))];
  const facts = await readImage(source, name, {
    concurrency,
    download: false,
    wants: ({ platform, isAttestation }) => !isAttestation && isFor(platform, platforms),
  });
  return { root: facts.root, verdicts: uses.map((use) => checkUse(facts, use)) };
}

/** An entry without a platform may be for any: it may be an index itself. */
function isFor(platform: string | null, platforms: readonly string[]): boolean {
  return platform === null || platforms.some((wanted) => serves(platform, wanted));
}

function checkUse(facts: ImageFacts, use: ImageUse): Verdict {
  const { platforms, needsAll, image } = use;
  const leaves = collectLeaves(facts).filter(({ isAttestation }) => !isAttestation);
  const own = leaves.filter(({ platform }) => isFor(platform, platforms));
  // Where the nodes differ, one kind of them is enough for a workload that may run on any.
  const expected = needsAll || own.length === 0 ? platforms : [];
  const findings = findImageFaults(restrict(facts, leaves, own), image, expected).filter(
    ({ severity, cause }) => severity === "critical" || cause === "unreadable",
  );
  return { use, reason: reasonOf(findings), findings };
}

/** The facts without the images that only other nodes need. */
function restrict(facts: ImageFacts, leaves: readonly Leaf[], own: readonly Leaf[]): ImageFacts {
  const needed = new Set(own.map(({ digest }) => digest));
  const others = new Set<Digest>(leaves.map(({ digest }) => digest).filter((digest) => !needed.has(digest)));
  // A single image for the wrong platform is still what the name leads to.
  const manifests = new Map(
    [...facts.served.manifests].filter(([digest]) => digest === facts.root || !others.has(digest)),
  );
  return { ...facts, served: { ...facts.served, manifests } };
}

function reasonOf(findings: readonly RawFinding[]): InUseReason | null {
  const reasons = findings.flatMap(({ cause }): readonly InUseReason[] => {
    if (cause === "unreadable") return [];
    if (cause === "absent") return ["absent"];
    return [cause === "platform-missing" ? "platform" : "broken"];
  });
  return gravest(reasons);
}

/** The first of them in the order of weight; null without any. */
export function gravest(reasons: readonly InUseReason[]): InUseReason | null {
  return inUseReasons.find((reason) => reasons.includes(reason)) ?? null;
}
