import type { GcRefusal, GcRemoved } from "../../contract/gc-report.ts";
import type { RegistryMark } from "../mark/mark.ts";
import type { Thing } from "../mark/thing.ts";
import { counted } from "../report/phrases.ts";

/** Why nothing of a registry, or no blob, is removed. */
export interface Refusal {
  readonly reason: GcRefusal;
  /** Sentences for people, with what to do. */
  readonly text: string;
}

/** What a collection removes of one registry. */
export interface RegistryPlan {
  readonly mark: RegistryMark;
  /** What goes, links before blobs; none when the budget refuses the plan. */
  readonly dead: readonly Thing[];
  /** What goes, or would have gone. */
  readonly removed: GcRemoved;
  readonly refused: Refusal | null;
}

/** The largest shares, from 0 to 1, that one run may remove: of the blobs, of their bytes, and of one repository's links. */
export interface Budget {
  readonly share: number;
}

/** The plan for one registry by its mark. */
export function planRegistry(mark: RegistryMark, budget: Budget): RegistryPlan {
  const removed = countThings(mark.dead);
  const refused = refusalOf(mark, removed, budget);
  return { mark, dead: refused?.reason === "budget" ? [] : mark.dead, removed, refused };
}

export function countThings(things: readonly Thing[]): GcRemoved {
  const counts = { revisionLinks: 0, layerLinks: 0, blobs: 0, bytes: 0 };
  for (const thing of things) {
    if (thing.kind === "blob") {
      counts.blobs += 1;
      counts.bytes += thing.sizeBytes;
    } else if (thing.kind === "revision-link") counts.revisionLinks += 1;
    else counts.layerLinks += 1;
  }
  return counts;
}

function refusalOf(mark: RegistryMark, removed: GcRemoved, budget: Budget): Refusal | null {
  const over = overBudget(mark, removed, budget);
  if (over.length > 0) {
    const needed = Math.ceil(Math.max(...over.map(({ share }) => share)) * 100);
    return {
      reason: "budget",
      text: `The plan would remove ${describeOver(over)}; at most ${percent(budget.share)} are allowed, so nothing was removed. Check the list; if it is right, add: --budget ${needed}%`,
    };
  }
  return damageRefusal(mark);
}

interface Over {
  readonly share: number;
  readonly text: string;
  readonly isOfRepository: boolean;
}

/** Repositories that the sentence names; the report lists all. */
const namedAtMost = 3;

function describeOver(over: readonly Over[]): string {
  const repositories = over.filter(({ isOfRepository }) => isOfRepository);
  const named = [...over.filter((one) => !one.isOfRepository), ...repositories.slice(0, namedAtMost)];
  const more = repositories.length - namedAtMost;
  const rest = more > 0 ? ` and of ${counted(more, "more repository", "more repositories")}` : "";
  return `${named.map(({ text }) => text).join(", ")}${rest}`;
}

/** Shares that are larger than allowed. Of one repository only links count: its blobs may be those of others as well. */
function overBudget({ total, dead }: RegistryMark, removed: GcRemoved, budget: Budget): readonly Over[] {
  const ofLinks = new Map<string, number>();
  for (const thing of dead)
    if (thing.kind !== "blob") ofLinks.set(thing.repository, (ofLinks.get(thing.repository) ?? 0) + 1);
  const shares = [
    { what: "blobs", part: removed.blobs, of: total.blobs, isOfRepository: false },
    { what: "bytes", part: removed.bytes, of: total.bytes, isOfRepository: false },
    ...[...ofLinks].map(([name, part]) => ({
      what: `links of ${name}`,
      part,
      of: total.linksOf.get(name) ?? part,
      isOfRepository: true,
    })),
  ];
  return shares
    .map((one) => ({ ...one, share: one.of === 0 ? 0 : one.part / one.of }))
    .filter(({ share }) => share > budget.share)
    .sort((a, b) => b.share - a.share)
    .map(({ share, what, part, of, isOfRepository }) => ({
      share,
      text: `${percent(share)} of the ${what} (${part} of ${of})`,
      isOfRepository,
    }));
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}

function damageRefusal({ damage, registry }: RegistryMark): Refusal | null {
  const [first, ...rest] = damage.filter(({ keeps }) => keeps === "blobs");
  if (!first) return null;
  const where = first.repository === null ? registry : `${registry}/${first.repository}`;
  const more = rest.length === 0 ? "" : `, and ${rest.length} more`;
  return {
    reason: "damage",
    text: `No blob is removed, as it is unknown what the store needs: in ${where}, ${first.place} ${first.reason}${more}. Heal it with scan and repair, or delete what is broken.`,
  };
}
