import type { RetainReason, RetainRefusal } from "../../contract/retain-report.ts";
import { parseDuration, type RetentionRule } from "../../contract/retention-rules.ts";
import { coverageFault, coveredFrom } from "../access-log/coverage.ts";
import { nameMatcher } from "../retention-rules/pattern.ts";
import type { ContentsOf, Evidence } from "./evidence.ts";
import { byPushTime, findCopy, findFuture } from "./push-order.ts";
import type { Tag } from "./tag.ts";

/**
 * Whether a condition holds for a tag. `unknown`: what it needs could not be read; such a tag must stay, unless another
 * condition decides.
 */
export type Verdict =
  | { readonly holds: "yes"; readonly by: RetainReason; readonly text: string }
  | { readonly holds: "unknown"; readonly by: RetainRefusal; readonly text: string; readonly until?: number }
  | { readonly holds: "no"; readonly text: string };

export type Condition = (tag: Tag) => Verdict;

/** What conditions of one repository are made from. */
export interface Repository {
  readonly name: string;
  /** Those that count: no signatures. */
  readonly tags: readonly Tag[];
  readonly evidence: Evidence;
  readonly contentsOf: ContentsOf;
  readonly trustPushTimes: boolean;
}

type Keep = RetentionRule["keep"];

/** Holds when any member of a rule's `keep` does; each is named by its key. */
export function keepCondition(keep: Keep, repository: Repository): Condition {
  const { all, ...members } = keep;
  const conditions = anyOf(members, repository);
  if (all) conditions.push(allOf(all.map((one) => firstThatHolds(anyOf(one, repository)))));
  return firstThatHolds(conditions);
}

function anyOf(keep: Omit<Keep, "all">, repository: Repository): Condition[] {
  const { newest, newestOf, pushedWithin, pulledWithin, tags, inUse } = keep;
  const conditions: Condition[] = [];
  if (tags) conditions.push(tagsCondition(tags));
  if (newest !== undefined) conditions.push(newestCondition("newest", newest, repository.tags, repository));
  for (const one of newestOf ?? []) {
    const matches = nameMatcher(one.tags);
    const counted = repository.tags.filter(({ name }) => matches(name));
    conditions.push(newestCondition("newestOf", one.count, counted, repository, one.tags.join(", ")));
  }
  if (pushedWithin !== undefined) conditions.push(pushedCondition(pushedWithin, repository));
  if (inUse) conditions.push(inUseCondition(repository));
  if (pulledWithin !== undefined) conditions.push(pulledCondition(pulledWithin, repository));
  return conditions;
}

/** The first that holds decides, else the first that is unknown. */
function firstThatHolds(conditions: readonly Condition[]): Condition {
  return (tag) => {
    const verdicts: Verdict[] = [];
    for (const condition of conditions) {
      const verdict = condition(tag);
      if (verdict.holds === "yes") return verdict;
      verdicts.push(verdict);
    }
    const unknown = verdicts.find(({ holds }) => holds === "unknown");
    return unknown ?? { holds: "no", text: verdicts.map(({ text }) => text).join(", ") };
  };
}

/** One that does not hold decides, whatever is unknown of the others. */
function allOf(conditions: readonly Condition[]): Condition {
  return (tag) => {
    const verdicts = conditions.map((condition) => condition(tag));
    const failing = verdicts.find(({ holds }) => holds === "no");
    if (failing) return { holds: "no", text: `not all: ${failing.text}` };
    const unknown = verdicts.find(({ holds }) => holds === "unknown");
    if (unknown) return unknown;
    return { holds: "yes", by: "all", text: `all: ${verdicts.map(({ text }) => text).join(", ")}` };
  };
}

function tagsCondition(patterns: readonly string[]): Condition {
  const matches = nameMatcher(patterns);
  return ({ name }) =>
    matches(name)
      ? { holds: "yes", by: "tags", text: `tags ${patterns.join(", ")}` }
      : { holds: "no", text: `not among tags ${patterns.join(", ")}` };
}

function newestCondition(
  by: "newest" | "newestOf",
  count: number,
  counted: readonly Tag[],
  repository: Repository,
  patterns?: string,
): Condition {
  const order = byPushTime(counted);
  const places = new Map(order.map(({ name }, index) => [name, index]));
  // Only where the border lies between tags of one time does the name decide.
  const isTie = order[count - 1]?.pushedAt === order[count]?.pushedAt && order[count] !== undefined;
  const tied = isTie ? order[count]?.pushedAt : undefined;
  const what = `newest ${count}${patterns === undefined ? "" : ` of ${patterns}`}`;
  const doubt = doubtOfTimes(repository);
  return ({ name, pushedAt }) => {
    const index = places.get(name);
    if (index === undefined) return { holds: "no", text: `not among ${patterns}` };
    const note = pushedAt === tied ? ", pushed at the same time as others, so its name decided" : "";
    const text = `${what}: number ${index + 1}${note}`;
    if (index < count) return { holds: "yes", by, text };
    return doubt ?? { holds: "no", text };
  };
}

/** Why push times do not say which tag is newer. */
function doubtOfTimes({ tags, evidence, trustPushTimes }: Repository): Verdict | undefined {
  const future = findFuture(tags, evidence.now);
  if (future)
    return {
      holds: "unknown",
      by: "clock",
      text: `${future.name} was pushed at ${toTime(future.pushedAt)}, which is in the future: a clock is or was wrong, so it is unknown which tags are newest`,
    };
  const copies = trustPushTimes ? undefined : findCopy(tags);
  if (copies === undefined) return undefined;
  return {
    holds: "unknown",
    by: "copied",
    text: `${copies} of its manifests have push times within one minute, as in a copied store, so it is unknown which were pushed when. If they were pushed so: trustPushTimes: true in its rule`,
  };
}

function pushedCondition(duration: string, repository: Repository): Condition {
  const since = repository.evidence.now - toMs(duration);
  const doubt = doubtOfTimes(repository);
  return ({ pushedAt }) => {
    const text = `pushed ${toTime(pushedAt)}, within ${duration}`;
    if (pushedAt >= since) return { holds: "yes", by: "pushedWithin", text };
    if (doubt?.holds === "unknown" && doubt.by === "copied") return doubt;
    return { holds: "no", text: `not pushed within ${duration}` };
  };
}

function pulledCondition(duration: string, { name, evidence, contentsOf }: Repository): Condition {
  const { pulls, now } = evidence;
  const since = now - toMs(duration);
  const fault = pulls
    ? coverageFault(pulls.coverage, { since, now })
    : "No access log is given: --access-log FILE.";
  const covered = pulls && coveredFrom(pulls.coverage, { lengthMs: now - since, now });
  const times = pulls?.repositories.get(name);
  return (tag) => {
    const contents = contentsOf(tag.digest);
    const of = [tag.name, tag.digest, ...(contents?.digests ?? [])];
    const last = Math.max(...of.map((one) => times?.get(one) ?? 0));
    if (last >= since)
      return { holds: "yes", by: "pulledWithin", text: `pulled ${toTime(last)}, within ${duration}` };
    if (covered !== undefined) return waiting(duration, covered, toMs(duration));
    if (fault !== undefined) return { holds: "unknown", by: "access-log", text: fault };
    if (contents?.fault !== undefined) return unreadable(contents.fault);
    return { holds: "no", text: `not pulled within ${duration}` };
  };
}

function waiting(duration: string, until: number, lengthMs: number): Verdict {
  const text = `The access log begins at ${toTime(until - lengthMs)}, so whether it was pulled within ${duration} is known from ${toTime(until)} on.`;
  return { holds: "unknown", by: "history", text, until };
}

function inUseCondition({ name, evidence: { inUse }, contentsOf }: Repository): Condition {
  if (!inUse || inUse.state === "unusable") {
    const text = inUse?.text ?? "No list of images in use is given: --in-use FILE.";
    return () => ({ holds: "unknown", by: "in-use", text });
  }
  const used = inUse.repositories.get(name);
  return (tag) => {
    const contents = contentsOf(tag.digest);
    const isUsed =
      used?.tags.has(tag.name) ||
      used?.digests.has(tag.digest) ||
      [...(contents?.digests ?? [])].some((digest) => used?.digests.has(digest));
    if (isUsed) return { holds: "yes", by: "inUse", text: "in use" };
    if (contents?.fault !== undefined) return unreadable(contents.fault);
    return { holds: "no", text: "not in use" };
  };
}

function unreadable(fault: string): Verdict {
  return { holds: "unknown", by: "unreadable", text: `What it holds is unknown: ${fault}` };
}

function toMs(duration: string): number {
  return parseDuration(duration) ?? Number.POSITIVE_INFINITY;
}

function toTime(time: number): string {
  return new Date(time).toISOString();
}
