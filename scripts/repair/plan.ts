import type { RepairImage } from "../../contract/repair-report.ts";
import type { Digest } from "../registry/digest.ts";
import { type Beneficiary, blobKey, changeKey, changesFor, type PlannedChange, tagChange } from "./change.ts";
import { type CopiesFound, canBeWritten, copiesOf } from "./copies-found.ts";
import { childrenOf, type DamagedRepository, manifestOf, type Root, rootsOf } from "./damaged-repository.ts";
import { hintsFor } from "./hints.ts";
import { collectMissing } from "./missing.ts";
import { blobNeeds, type Need, ownNeed, wrongSizeOf } from "./needs.ts";

/**
 * The changes that make one manifest, or one tag, complete. Bottom-up: what serves it comes last. A change that several
 * steps need stands in each, and is made by the first that can.
 */
export interface Step {
  readonly registry: string;
  readonly repository: string;
  readonly changes: readonly PlannedChange[];
  /** Digests whose content must be sound in the store before the last change: all that the manifest names, and itself. */
  readonly holds: readonly Digest[];
  /** Positions of the steps that must have been made before. */
  readonly needs: readonly number[];
}

export interface Plan {
  readonly steps: readonly Step[];
  readonly images: readonly PlannedImage[];
}

/** {@link RepairImage} with steps in place of changes. */
export interface PlannedImage extends Omit<RepairImage, "changes"> {
  readonly steps: readonly number[];
}

export interface PlanOptions {
  /** Whether tags without a usable link are pointed at the only manifest that they can have meant. */
  readonly tagLinks: boolean;
  /** What clients call the registry; for the commands to type. */
  readonly instance: string;
}

/**
 * What brings damaged images back, as steps that can be made one after the other and cut off after any. `copies`: by
 * registry.
 *
 * A link is planned only where it leads to something complete: a manifest that stays without something it needs is left
 * as it is, while its healthy children come back. What no tag leads to is relinked, but nothing is fetched for it, except
 * for a tag elsewhere in the registry; so all tags come first.
 */
export function planRepair(
  repositories: readonly DamagedRepository[],
  copies: ReadonlyMap<string, CopiesFound>,
  options: PlanOptions,
): Plan {
  const steps: Step[] = [];
  const brought = new Set<string>();
  const planners = repositories.map((repository) => {
    const { registry } = repository.view.facts;
    const found = copies.get(registry) ?? new Map();
    const planner = { repository, copies: found, options, steps, brought, visits: new Map() };
    return { planner, roots: rootsOf(repository) };
  });
  const planAll = (wanted: (root: Root) => boolean) =>
    planners.map(({ planner, roots }) => roots.filter(wanted).flatMap((root) => planRoot(root, planner)));
  const tagged = planAll(({ tag }) => tag !== null);
  const untagged = planAll(({ tag }) => tag === null);
  return {
    steps,
    images: planners.flatMap((_, index) => [...(tagged[index] ?? []), ...(untagged[index] ?? [])]),
  };
}

/** What the plan for one repository is made with. */
interface Planner {
  readonly repository: DamagedRepository;
  readonly copies: CopiesFound;
  readonly options: PlanOptions;
  /** Of the plan for all repositories; added to. */
  readonly steps: Step[];
  /** Blobs that a step brings, as {@link changeKey} has them; added to. */
  readonly brought: Set<string>;
  readonly visits: Map<Digest, Visit>;
}

/** What visiting a manifest came to. */
interface Visit {
  readonly isCompleteAfterwards: boolean;
  /** Steps that belong to it and to everything below it, in their order. */
  readonly steps: readonly number[];
}

const notComplete: Visit = { isCompleteAfterwards: false, steps: [] };

function planRoot(root: Root, planner: Planner): readonly PlannedImage[] {
  const { tag, digest, fault } = root;
  const { repository, copies, options, steps } = planner;
  const mayFetch = tag !== null;
  // Without leave to set the tag, what it meant is not brought back either: no client could pull it by the tag.
  const mayVisit = digest !== null && (fault === null || options.tagLinks);
  const visit = mayVisit ? visitManifest(digest, planner, mayFetch) : notComplete;
  const isPointed = mayVisit && visit.isCompleteAfterwards && fault !== null;
  const own = isPointed ? addTagStep(root, digest, visit, planner) : [];
  const all = [...visit.steps, ...own];
  const missing = collectMissing(root, repository, copies);
  // What no client pulls by a name, and cannot be relinked, is left to people: it may well be meant to go.
  if (missing.length === 0 || (tag === null && all.length === 0)) return [];
  const isFetched = all.some((step) => steps[step]?.changes.some(({ from }) => from !== null));
  const completeAfterwards = visit.isCompleteAfterwards;
  const image = { ...beneficiaryOf(planner), tag, digest, missing };
  const hints = completeAfterwards ? [] : hintsFor(root, repository, options);
  const remedy = completeAfterwards ? (isFetched ? "recopy" : "relink") : "rebuild";
  return [{ ...image, remedy, completeAfterwards, steps: all, hints }];
}

function beneficiaryOf({ repository }: Planner): Beneficiary {
  const { registry, repository: name } = repository.view.facts;
  return { registry, repository: name };
}

/** Children first, so that nothing is linked before what it leads to. */
function visitManifest(digest: Digest, planner: Planner, mayFetch: boolean): Visit {
  const known = planner.visits.get(digest);
  if (known) return known;
  // What names itself in a circle cannot exist by its digests; here it only must not run for ever.
  planner.visits.set(digest, notComplete);
  const { repository } = planner;
  const children = childrenOf(repository, digest);
  const below = children.map((child) => visitManifest(child.digest, planner, mayFetch));
  const steps = [...new Set(below.flatMap((visit) => visit.steps))];
  const needs = [...blobNeeds(repository, digest), ownNeed(repository, digest)];
  const canBeComplete =
    manifestOf(repository, digest) !== undefined &&
    children.every((child) => wrongSizeOf(repository, child) === undefined) &&
    below.every((visit) => visit.isCompleteAfterwards) &&
    needs.every((need) => isObtainable(need, planner, mayFetch));
  const own = canBeComplete ? addStep(digest, needs, steps, planner) : [];
  const visit = { isCompleteAfterwards: canBeComplete, steps: [...steps, ...own] };
  planner.visits.set(digest, visit);
  return visit;
}

function isObtainable(need: Need, planner: Planner, mayFetch: boolean): boolean {
  if (need.link && !need.link.canReplace) return false;
  if (!need.content) return true;
  if (!need.content.canReplace) return false;
  const { registry } = planner.repository.view.facts;
  const isBrought = planner.brought.has(blobKey(registry, need.target));
  return (mayFetch || isBrought) && canBeWritten(need, planner.copies);
}

/** The step of one manifest, where it lacks anything. */
function addStep(
  digest: Digest,
  needs: readonly Need[],
  below: readonly number[],
  planner: Planner,
): readonly number[] {
  const { repository, copies, steps, brought } = planner;
  const beneficiary = beneficiaryOf(planner);
  const changes = needs.flatMap((need) => changesFor(beneficiary, need, copiesOf(need, copies)));
  if (changes.length === 0) return [];
  for (const change of changes) if (change.kind === "blob") brought.add(changeKey(change));
  const children = childrenOf(repository, digest).map((child) => child.digest);
  const holds = new Set([...needs.map(({ target }) => target), ...children]);
  return [steps.push({ ...beneficiary, changes, holds: [...holds], needs: below }) - 1];
}

function addTagStep({ tag, fault }: Root, digest: Digest, visit: Visit, planner: Planner): readonly number[] {
  const beneficiary = beneficiaryOf(planner);
  const change = tagChange(beneficiary, tag ?? "", digest, fault?.isThere ? fault.reason : null);
  const step = { ...beneficiary, changes: [change], holds: [digest], needs: visit.steps };
  return [planner.steps.push(step) - 1];
}
