import { ownAgents } from "../../contract/retention-rules.ts";
import { nameMatcher } from "../retention-rules/pattern.ts";
import type { NumberedRule } from "../retention-rules/read-rules.ts";
import { keepCondition, type Verdict } from "./conditions.ts";
import type { ContentsOf, Evidence } from "./evidence.ts";
import { byPushTime } from "./push-order.ts";
import { decideReferrers, isReferrerTag } from "./referrer-tags.ts";
import type { Decision, RepositoryTags, Tag, UselessTag } from "./tag.ts";

/** What the programs keep in the registry for themselves. */
const ownRepository = /^regwarden(?:\/|$)/;

/** Whether a pull says nothing about need. */
export function ignoredAgents(more: readonly string[]): (agent: string) => boolean {
  return nameMatcher([...ownAgents, ...more]);
}

export interface Decided {
  /** Undefined: no rule decided. */
  readonly rule: NumberedRule | undefined;
  readonly decisions: readonly Decision[];
}

/**
 * Which tags of a repository stay, by the first rule that matches it.
 *
 * `contentsOf`: of each tag's manifest, where signatures, pulls or uses name other digests than those of the tags.
 */
export function decideRepository(
  repository: RepositoryTags,
  rule: NumberedRule | undefined,
  evidence: Evidence,
  contentsOf: ContentsOf,
): Decided {
  const { name, tags, useless } = repository;
  if (ownRepository.test(name))
    return { rule: undefined, decisions: keepAll(repository, "own", "regwarden's own") };
  if (!rule) return { rule, decisions: keepAll(repository, "no-rule", "no rule is for this repository") };
  const images = tags.filter((tag) => !isReferrerTag(tag.name));
  const decided = decideImages(images, rule, { name, evidence, contentsOf });
  const broken = useless.map(describeUseless);
  const referrers = decideReferrers(
    tags.filter((tag) => isReferrerTag(tag.name)),
    { images: decided, useless, rule, name, evidence, contentsOf },
  );
  const place = new Map([...decided, ...broken, ...referrers].map((decision) => [decision.name, decision]));
  const ordered = [...byPushTime(tags).map(({ name }) => name), ...useless.map(({ name }) => name)];
  return { rule, decisions: ordered.flatMap((one) => place.get(one) ?? []) };
}

function decideImages(
  tags: readonly Tag[],
  { rule }: NumberedRule,
  repository: {
    readonly name: string;
    readonly evidence: Evidence;
    readonly contentsOf: ContentsOf;
  },
): readonly Decision[] {
  const trustPushTimes = rule.trustPushTimes === true;
  const condition = keepCondition(rule.keep, { ...repository, tags, trustPushTimes });
  const decisions = tags.map((tag) => toDecision(tag, condition(tag)));
  if (rule.mayEmpty || decisions.some(({ decision }) => decision !== "drop")) return decisions;
  const last = byPushTime(tags)[0]?.name;
  const text = "the newest of its repository, of which no other stays";
  return decisions.map((one) => (one.name === last ? { ...one, decision: "keep", by: "last", text } : one));
}

function toDecision(tag: Tag, verdict: Verdict): Decision {
  const { name } = tag;
  switch (verdict.holds) {
    case "yes":
      return { name, tag, decision: "keep", by: verdict.by, text: verdict.text };
    case "unknown":
      return { name, tag, decision: "undecided", by: verdict.by, text: verdict.text, until: verdict.until };
    case "no":
      return { name, tag, decision: "drop", by: "rule", text: verdict.text };
  }
}

function keepAll(
  { tags, useless }: RepositoryTags,
  by: "own" | "no-rule",
  text: string,
): readonly Decision[] {
  const kept = byPushTime(tags).map((tag) => ({ name: tag.name, tag, decision: "keep", by, text }) as const);
  return [...kept, ...useless.map(describeUseless)];
}

/** A scan says what to do about it. */
function describeUseless({ name, link }: UselessTag): Decision {
  const base = { name, tag: undefined };
  if (link.state === "unreadable")
    return {
      ...base,
      decision: "undecided",
      by: "unreadable",
      text: `${link.location} could not be read: ${link.reason}`,
    };
  const text = link.state === "missing" ? `${link.location} is missing` : `${link.location} ${link.reason}`;
  return { ...base, decision: "keep", by: "broken", text };
}
