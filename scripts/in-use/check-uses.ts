import type { Problem } from "../../contract/finding.ts";
import type { BrokenImage, InUseReason, Workload } from "../../contract/in-use-report.ts";
import { subjectKey } from "../graph/findings.ts";
import type { RawFinding } from "../graph/raw-finding.ts";
import { parseReference, type Reference, withDefaultHost } from "../registry/reference.ts";
import { describeFinding, describeFindings } from "../report/describe-finding.ts";
import { forEachBounded, stream } from "../source/bounded.ts";
import type { HttpRegistry } from "../source/http/registry.ts";
import { checkImage, type Verdict } from "./check-image.ts";
import type { ImageUse } from "./collect-uses.ts";
import { brokenImageSentences, uncheckedImageProblem } from "./describe-images.ts";

/** Images that are looked at side by side; the requests of all together are bounded by the source. */
const imagesAtATime = 8;

/** All uses of one image. */
interface Wanted {
  readonly image: string;
  readonly reference: Reference & { readonly host: string };
  readonly uses: readonly ImageUse[];
}

/** The uses by image, those of the given registries apart from the rest. */
export interface SortedUses {
  readonly wanted: readonly Wanted[];
  /** Images of other registries. */
  readonly others: number;
  /** Texts that are no image, with who names them: no node can pull those. */
  readonly unparsable: readonly string[];
}

export function sortUses(uses: readonly ImageUse[], registries: ReadonlySet<string>): SortedUses {
  const wanted: Wanted[] = [];
  const unparsable: string[] = [];
  let others = 0;
  for (const [image, own] of Map.groupBy(uses, (use) => use.image)) {
    const parsed = parseReference(image);
    if ("reason" in parsed) unparsable.push(`${image} (${parsed.reason})`);
    else {
      const reference = withDefaultHost(parsed);
      if (registries.has(reference.host)) wanted.push({ image, reference, uses: own });
      else others += 1;
    }
  }
  return { wanted, others, unparsable };
}

/** What looking at the images of one registry came to. */
export interface RegistryResult {
  readonly broken: readonly BrokenImage[];
  /** What could not be looked at. */
  readonly problems: readonly Problem[];
}

export async function checkUses(
  source: HttpRegistry,
  wanted: readonly Wanted[],
  concurrency: number,
): Promise<RegistryResult> {
  const broken: BrokenImage[] = [];
  const problems: Problem[] = [];
  await forEachBounded(stream(wanted), imagesAtATime, async ({ image, reference, uses }) => {
    const { repository, digest } = reference;
    // With a digest the node does not ask for the tag.
    const tag = digest === null ? (reference.tag ?? "latest") : null;
    const verdicts = await checkImage(source, { repository, tag, digest }, uses, concurrency);
    const unread = verdicts.flatMap(({ findings }) => findings.filter(({ cause }) => cause === "unreadable"));
    const [first] = unread;
    if (first)
      problems.push(uncheckedImageProblem(image, describeFinding(first, "registry"), workloadsOf(verdicts)));
    broken.push(...toBroken(image, reference.host, verdicts));
  });
  broken.sort((a, b) => (a.image < b.image ? -1 : a.image > b.image ? 1 : 0));
  return { broken, problems: problems.sort((a, b) => (a.message < b.message ? -1 : 1)) };
}

/** One entry for each reason: one workload's nodes may find nothing where another's find something broken. */
function toBroken(image: string, registry: string, verdicts: readonly Verdict[]): readonly BrokenImage[] {
  const bad = verdicts.flatMap((verdict) =>
    verdict.reason === null ? [] : [{ ...verdict, reason: verdict.reason }],
  );
  const byReason = Map.groupBy(bad, ({ reason }): InUseReason => reason);
  return [...byReason].map(([reason, own]) => {
    const all = own.flatMap(({ findings }) => findings.filter(({ cause }) => cause !== "unreadable"));
    const distinct = [...new Map(all.map((finding) => [keyOf(finding), finding])).values()];
    const findings = describeFindings(distinct, "registry");
    const workloads = workloadsOf(own);
    const sentences = brokenImageSentences(image, reason, findings, workloads);
    return { image, registry, reason, workloads, findings, ...sentences };
  });
}

function keyOf(finding: RawFinding): string {
  return `${finding.cause} ${finding.platform} ${subjectKey(finding)}`;
}

function workloadsOf(verdicts: readonly Verdict[]): readonly Workload[] {
  const byName = new Map(verdicts.map(({ use: { workload } }) => [workloadName(workload), workload]));
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, workload]) => workload);
}

/** `namespace/kind/name`, as alerts and messages say it. */
export function workloadName({ namespace, kind, name }: Workload): string {
  return `${namespace}/${kind}/${name}`;
}
