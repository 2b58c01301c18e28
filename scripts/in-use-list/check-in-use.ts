import type { Digest } from "../registry/digest.ts";
import type { InUseDocument } from "./in-use-document.ts";

/** What is in use of one repository. */
export interface UsedOfRepository {
  readonly tags: ReadonlySet<string>;
  /** Pinned, pulled by nodes, or where a tag led when the list was made. */
  readonly digests: ReadonlySet<Digest>;
}

export interface UsableList {
  readonly state: "usable";
  /** When the cluster was read, milliseconds since 1970. */
  readonly readAt: number;
  readonly repositories: ReadonlyMap<string, UsedOfRepository>;
}

/** `foreign`: it is about other registries. `future`: the clock here, or that of the cluster, is wrong. */
export type UnusableReason = "unreadable" | "incomplete" | "stale" | "future" | "foreign";

export interface UnusableList {
  readonly state: "unusable";
  readonly reason: UnusableReason;
  /** A sentence. */
  readonly text: string;
}

export type InUseList = UsableList | UnusableList;

/** By which rules a list can be used. */
export interface InUseRules {
  /** What clients call the registry, HOST[:PORT], by each of its names. The list must be about all of them. */
  readonly instances: readonly string[];
  readonly now: number;
  readonly maxAgeMs: number;
}

export const defaultMaxAgeMs = 24 * 3600 * 1000;

/** Clocks of two machines differ by a little. */
const clockToleranceMs = 5 * 60 * 1000;

/** What a document says about the registry, unless it is too old, incomplete, or about others. */
export function checkInUse(document: InUseDocument, from: string, rules: InUseRules): InUseList {
  const { instances, now, maxAgeMs } = rules;
  const { registries, finishedAt, durationSeconds } = document;
  const foreign = instances.filter((instance) => !registries.some(({ name }) => name === instance));
  if (instances.length === 0 || foreign.length > 0)
    return unusable(
      "foreign",
      `${from} is about ${registries.map(({ name }) => name).join(", ") || "no registry"}, and not about ${foreign.join(", ")}.`,
    );
  const readAt = finishedAt - durationSeconds * 1000;
  const time = new Date(readAt).toISOString();
  if (readAt > now + clockToleranceMs)
    return unusable("future", `${from} is of ${time}, which is in the future: one of the clocks is wrong.`);
  if (now - readAt > maxAgeMs)
    return unusable("stale", `${from} is of ${time}, older than ${maxAgeMs / 3_600_000} hours.`);
  if (!document.complete || registries.some(({ name, complete }) => instances.includes(name) && !complete))
    return unusable(
      "incomplete",
      `${from} is incomplete: the run could not check everything, so it may lack images that are in use.`,
    );
  const images = document.images.filter(({ registry }) => instances.includes(registry));
  if (images.length === 0)
    return unusable("incomplete", `${from} names no image of ${instances.join(", ")}.`);
  return { state: "usable", readAt, repositories: byRepository(images) };
}

function byRepository(images: InUseDocument["images"]): UsableList["repositories"] {
  const repositories = new Map<string, { tags: Set<string>; digests: Set<Digest> }>();
  for (const { repository, tag, digest, digests } of images) {
    const used = repositories.get(repository) ?? { tags: new Set(), digests: new Set() };
    repositories.set(repository, used);
    if (tag !== null) used.tags.add(tag);
    for (const one of digest === null ? digests : [digest, ...digests]) used.digests.add(one);
  }
  return repositories;
}

export function unusable(reason: UnusableReason, text: string): UnusableList {
  return { state: "unusable", reason, text };
}
