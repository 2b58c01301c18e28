import type { Problem } from "../../contract/finding.ts";
import type { BrokenImage, InUseState, UsedImage } from "../../contract/in-use-report.ts";
import { subjectKey } from "../graph/findings.ts";
import type { RawFinding } from "../graph/raw-finding.ts";
import { describeFindings } from "../report/describe-finding.ts";
import { forEachBounded, stream } from "../source/bounded.ts";
import type { HttpRegistry } from "../source/http/registry.ts";
import { checkImage, gravest, type ImageCheck, type Verdict } from "./check-image.ts";
import { brokenImageSentences, uncheckedImageProblem, unknownPlatformProblem } from "./describe-images.ts";
import type { ListedImage } from "./list-images.ts";
import { workloadsOf } from "./owners.ts";

/** Images that are checked side by side; the requests of all together are bounded by the source. */
const imagesAtATime = 8;

/** Result of the check of some images of one registry. */
export interface ImagesResult {
  readonly images: readonly UsedImage[];
  readonly broken: readonly BrokenImage[];
  /** What could not be checked. */
  readonly problems: readonly Problem[];
}

interface Options {
  readonly concurrency: number;
  /** Whether any node's platform is known; without one, that is a problem of the cluster and not of each image. */
  readonly arePlatformsKnown: boolean;
}

export async function checkImages(
  source: HttpRegistry,
  listed: readonly ListedImage[],
  { concurrency, arePlatformsKnown }: Options,
): Promise<ImagesResult> {
  const images: UsedImage[] = [];
  const broken: BrokenImage[] = [];
  const problems: Problem[] = [];
  await forEachBounded(stream(listed), imagesAtATime, async (one) => {
    const { repository, digest } = one.reference;
    // With a digest the node does not ask for the tag.
    const name = { repository, tag: digest === null ? tagOf(one) : null, digest };
    const check = await checkImage(source, name, one.uses, concurrency);
    images.push(toUsedImage(one, check));
    problems.push(...findUnread(one, check.verdicts));
    if (arePlatformsKnown) problems.push(...findUnknownPlatforms(one, check.verdicts));
    broken.push(...toBroken(one, check.verdicts));
  });
  const byImage = (a: { readonly image: string }, b: typeof a) => compareText(a.image, b.image);
  return {
    images: images.sort(byImage),
    broken: broken.sort(byImage),
    problems: problems.sort((a, b) => compareText(a.message, b.message)),
  };
}

function tagOf({ reference: { tag, digest } }: ListedImage): string | null {
  return tag ?? (digest === null ? "latest" : null);
}

function toUsedImage(one: ListedImage, { root, verdicts }: ImageCheck): UsedImage {
  const { image, reference, uses, digests } = one;
  return {
    image,
    registry: reference.host,
    repository: reference.repository,
    tag: tagOf(one),
    digest: root,
    digests: [...digests].sort(),
    workloads: workloadsOf(uses),
    isNeeded: uses.some(({ isNeeded }) => isNeeded),
    state: stateOf(verdicts),
  };
}

function stateOf(verdicts: readonly Verdict[]): InUseState {
  const reason = gravest(verdicts.flatMap((verdict) => verdict.reason ?? []));
  return reason ?? (verdicts.every(isChecked) ? "complete" : "unchecked");
}

/** Without a platform nothing says what of the image a node needs. */
function isChecked({ use, findings }: Verdict): boolean {
  return use.platforms.length > 0 && findings.every(({ cause }) => cause !== "unreadable");
}

function findUnread({ image, uses }: ListedImage, verdicts: readonly Verdict[]): readonly Problem[] {
  const unread = verdicts.flatMap(({ findings }) => findings.filter(({ cause }) => cause === "unreadable"));
  // The first says enough: mostly they have one reason.
  const [first] = describeFindings(unread.slice(0, 1), "registry");
  return first ? [uncheckedImageProblem(image, first, workloadsOf(uses))] : [];
}

function findUnknownPlatforms({ image }: ListedImage, verdicts: readonly Verdict[]): readonly Problem[] {
  const unknown = verdicts.filter(({ use, reason }) => reason === null && use.platforms.length === 0);
  if (unknown.length === 0) return [];
  return [unknownPlatformProblem(image, workloadsOf(unknown.map(({ use }) => use)))];
}

/** One entry for each reason: one workload's nodes may find nothing where another's find something broken. */
function toBroken({ image, reference }: ListedImage, verdicts: readonly Verdict[]): readonly BrokenImage[] {
  const bad = verdicts.flatMap(({ use, reason, findings }) =>
    reason === null || !use.isNeeded ? [] : [{ use, reason, findings }],
  );
  return [...Map.groupBy(bad, ({ reason }) => reason)].map(([reason, own]) => {
    const all = own.flatMap(({ findings }) => findings.filter(({ cause }) => cause !== "unreadable"));
    const distinct = [...new Map(all.map((finding) => [keyOf(finding), finding])).values()];
    const findings = describeFindings(distinct, "registry");
    const workloads = workloadsOf(own.map(({ use }) => use));
    const sentences = brokenImageSentences(image, reason, findings, workloads);
    return { image, registry: reference.host, reason, workloads, findings, ...sentences };
  });
}

function keyOf(finding: RawFinding): string {
  return `${finding.cause} ${finding.platform} ${subjectKey(finding)}`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
