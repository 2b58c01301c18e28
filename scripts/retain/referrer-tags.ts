import type { Digest } from "../registry/digest.ts";
import { subjectOfTag } from "../registry/tag.ts";
import { nameMatcher } from "../retention-rules/pattern.ts";
import type { NumberedRule } from "../retention-rules/read-rules.ts";
import type { ContentsOf, Evidence } from "./evidence.ts";
import type { Decision, Tag, UselessTag } from "./tag.ts";

/** A signature may be pushed before the tag of its image. */
const youngMs = 24 * 3600 * 1000;

/** Whether a tag stands for signatures and the like: it does not count, and stays as long as what it is about. */
export function isReferrerTag(name: string): boolean {
  return subjectOfTag(name) !== undefined;
}

interface Around {
  readonly images: readonly Decision[];
  readonly useless: readonly UselessTag[];
  readonly rule: NumberedRule;
  readonly name: string;
  readonly evidence: Evidence;
  readonly contentsOf: ContentsOf;
}

/**
 * Signatures, attestations and lists of referrers stay when what they are about is held by a tag that stays, by another
 * such tag that stays, or is in use.
 */
export function decideReferrers(tags: readonly Tag[], around: Around): readonly Decision[] {
  if (tags.length === 0) return [];
  const matches = nameMatcher(around.rule.rule.keep.tags ?? []);
  const staying = around.images.filter(({ decision }) => decision !== "drop");
  const held = heldBy(staying, around);
  const decisions = new Map<string, Decision>();
  // A signature may itself be signed, so each that stays may hold the next.
  for (let waiting = tags, before = -1; waiting.length !== before; ) {
    before = waiting.length;
    for (const tag of waiting) {
      const kept = reasonToKeep(tag, matches, held.digests, around);
      if (!kept) continue;
      decisions.set(tag.name, kept);
      hold(tag.digest, held, around.contentsOf);
    }
    waiting = waiting.filter(({ name }) => !decisions.has(name));
  }
  return tags.map(
    (tag) => decisions.get(tag.name) ?? dropped(tag, held.fault ?? faultOfSubject(tag, around)),
  );
}

interface Held {
  readonly digests: Set<Digest>;
  /** Why more may be held. */
  fault: string | undefined;
}

function heldBy(
  staying: readonly Decision[],
  { useless, name, evidence: { inUse }, contentsOf }: Around,
): Held {
  const held: Held = { digests: new Set(), fault: undefined };
  for (const { tag } of staying) if (tag) hold(tag.digest, held, contentsOf);
  if (inUse?.state === "usable")
    for (const digest of inUse.repositories.get(name)?.digests ?? []) hold(digest, held, contentsOf);
  const [first] = useless.filter(({ name }) => !isReferrerTag(name));
  if (first) held.fault ??= `the tag ${first.name} leads nowhere, so it may have been about anything`;
  return held;
}

function hold(digest: Digest, held: Held, contentsOf: ContentsOf): void {
  const contents = contentsOf(digest);
  held.digests.add(digest);
  for (const one of contents?.digests ?? []) held.digests.add(one);
  held.fault ??= contents?.fault;
}

function reasonToKeep(
  tag: Tag,
  matches: (name: string) => boolean,
  held: ReadonlySet<Digest>,
  { evidence, contentsOf }: Around,
): Decision | undefined {
  const { name } = tag;
  const base = { name, tag, decision: "keep" } as const;
  const subject = subjectOfTag(name);
  if (!subject) return undefined;
  if ([subject, ...(contentsOf(subject)?.about ?? [])].some((one) => held.has(one)))
    return { ...base, by: "subject", text: "what it is about stays" };
  if (matches(name)) return { ...base, by: "tags", text: "its name is among tags" };
  if (tag.pushedAt <= evidence.now - youngMs) return undefined;
  return { ...base, by: "young", text: "pushed within a day: its image may get a tag still" };
}

/** What an unreadable manifest is about is unknown, and may stay. */
function faultOfSubject({ name }: Tag, { contentsOf }: Around): string | undefined {
  const subject = subjectOfTag(name);
  return subject && contentsOf(subject)?.fault;
}

function dropped(tag: Tag, fault: string | undefined): Decision {
  const base = { name: tag.name, tag };
  if (fault !== undefined)
    return { ...base, decision: "undecided", by: "unreadable", text: `What stays is unknown: ${fault}` };
  return { ...base, decision: "drop", by: "subject", text: "no tag that stays holds what it is about" };
}
