import type { RetainProblem, RetainRefusal } from "../../contract/retain-report.ts";
import type { FindRule } from "../retention-rules/read-rules.ts";
import type { DiskSource } from "../source/disk/registry.ts";
import { type Decided, decideRepository } from "./decide.ts";
import type { Evidence } from "./evidence.ts";
import { readContents } from "./read-contents.ts";
import { isReferrerTag } from "./referrer-tags.ts";
import type { Decision, RepositoryTags, Tag, UselessTag } from "./tag.ts";

export interface RepositoryPlan extends Decided {
  readonly name: string;
}

export interface RegistryPlan {
  readonly source: DiskSource;
  readonly repositories: readonly RepositoryPlan[];
  /** Why less goes than the rules say. */
  readonly refused: readonly RetainProblem[];
}

/** How far a plan has come. */
export interface PlanProgress {
  readonly registry: string;
  readonly repositories: number;
  readonly allRepositories: number;
  readonly tags: number;
}

/** The largest shares of tags that may go, from 0 to 1. */
export interface Budget {
  readonly maxRemoved: number;
  readonly maxRemovedOfRepository: number;
}

interface Options {
  readonly findRule: FindRule;
  readonly evidence: Evidence;
  readonly budget: Budget;
  readonly onProgress: (progress: PlanProgress) => void;
}

/** Decides about every tag of one registry. Errors: none: what cannot be read stays. */
export async function planRegistry(source: DiskSource, options: Options): Promise<RegistryPlan> {
  const refused: RetainProblem[] = [];
  const names: string[] = [];
  for await (const fact of source.repositories())
    if (fact.state === "found") names.push(fact.name);
    else refused.push(unreadable(source.name, null, fact));
  const repositories: RepositoryPlan[] = [];
  let tags = 0;
  for (const name of names) {
    const read = await readTags(source, name, refused);
    const rule = options.findRule(name);
    const contentsOf = rule ? await readContents(source, read, options.evidence) : () => undefined;
    repositories.push({ name, ...decideRepository(read, rule, options.evidence, contentsOf) });
    tags += read.tags.length;
    const progress = { repositories: repositories.length, allRepositories: names.length, tags };
    options.onProgress({ registry: source.name, ...progress });
  }
  refused.push(...repositories.flatMap((repository) => problemsOf(source.name, repository)));
  refused.push(...overBudget(source.name, repositories, options.budget));
  return { source, repositories, refused };
}

/** What a run moves out of the store: what is to go, where the budget allows it. Images before their signatures. */
export function tagsToDrop({ repositories, refused }: RegistryPlan): readonly (readonly [string, Tag])[] {
  const over = new Set(
    refused.filter(({ reason }) => reason === "budget").map(({ repository }) => repository),
  );
  if (over.has(null)) return [];
  const dropped = repositories
    .filter(({ name }) => !over.has(name))
    .flatMap(({ name, decisions }) =>
      decisions.flatMap(({ tag, decision }) => (tag && decision === "drop" ? [[name, tag] as const] : [])),
    );
  const isImage = ([, { name }]: readonly [string, Tag]) => !isReferrerTag(name);
  return [...dropped.filter(isImage), ...dropped.filter((one) => !isImage(one))];
}

async function readTags(source: DiskSource, name: string, refused: RetainProblem[]): Promise<RepositoryTags> {
  const tags: Tag[] = [];
  const useless: UselessTag[] = [];
  for await (const { name: tag, link } of source.tags(name, { withTimes: true })) {
    if (tag === null) {
      if (link.state === "unreadable") refused.push(unreadable(source.name, name, link));
    } else if (link.state === "linked")
      tags.push({ name: tag, digest: link.digest, pushedAt: link.modifiedAt ?? Number.POSITIVE_INFINITY });
    else useless.push({ name: tag, link });
  }
  return { name, tags, useless };
}

function unreadable(
  registry: string,
  repository: string | null,
  { location, reason }: { readonly location: string; readonly reason: string },
): RetainProblem {
  const text = `${location} could not be read: ${reason}. What lies there stays.`;
  return { registry, repository, reason: "unreadable", tags: 0, until: null, text };
}

/** One problem for each reason in a repository, with the first text of it. */
function problemsOf(registry: string, { name, decisions }: RepositoryPlan): readonly RetainProblem[] {
  const undecided = decisions.filter(({ decision }) => decision === "undecided");
  return [...Map.groupBy(undecided, ({ by }) => by)].map(([by, [first, ...more]]) => ({
    registry,
    repository: name,
    reason: by as RetainRefusal,
    tags: more.length + 1,
    until: first?.until === undefined ? null : new Date(first.until).toISOString(),
    text: first?.text ?? "",
  }));
}

function overBudget(
  registry: string,
  repositories: readonly RepositoryPlan[],
  { maxRemoved, maxRemovedOfRepository }: Budget,
): readonly RetainProblem[] {
  const all = countImages(repositories.flatMap(({ decisions }) => decisions));
  const over = (of: { all: number; dropped: number }, most: number) => of.dropped > of.all * most;
  const describe = (
    repository: string | null,
    { all, dropped }: { all: number; dropped: number },
    most: number,
    option: string,
  ): RetainProblem => ({
    registry,
    repository,
    reason: "budget",
    tags: dropped,
    until: null,
    text: `Of ${all} tags, ${dropped} would go, more than ${Math.round(most * 100)}%, so none goes. Read the plan, then add: ${option} ${Math.ceil((dropped / all) * 100)}%`,
  });
  if (over(all, maxRemoved)) return [describe(null, all, maxRemoved, "--max-removed")];
  return repositories.flatMap(({ name, decisions }) => {
    const own = countImages(decisions);
    if (!over(own, maxRemovedOfRepository)) return [];
    return [describe(name, own, maxRemovedOfRepository, "--max-removed-of-repository")];
  });
}

function countImages(decisions: readonly Decision[]): { readonly all: number; readonly dropped: number } {
  const images = decisions.filter(({ name }) => !isReferrerTag(name));
  return { all: images.length, dropped: images.filter(({ decision }) => decision === "drop").length };
}
