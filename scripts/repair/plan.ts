import type { RepairImage } from "../../contract/repair-report.ts";
import type { Digest } from "../registry/digest.ts";
import { blobKey, changeKey, changesFor, type Place, type PlannedChange, tagChange } from "./change.ts";
import type { DamagedRepository, ImageNode, Offer, Part, Root } from "./facts.ts";
import { collectLost, wrongSizeOf } from "./lost.ts";
import { nextCommands } from "./next-commands.ts";
import { collectOffers } from "./offers.ts";

/**
 * The changes that make one manifest, or one tag, whole. Bottom-up: whoever serves it comes last. A change that several
 * steps need stands in each, and is made by the first that can.
 */
export interface Step {
  readonly registry: string;
  readonly repository: string;
  readonly changes: readonly PlannedChange[];
  /** Digests that must lie in the store, whole, before the last change: all that the manifest names, and itself. */
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
  /** Whether tags without a usable link are pointed at the only manifest they can have meant. */
  readonly tagLinks: boolean;
  /** What clients call the registry; for the commands to type. */
  readonly instance: string;
}

/** What visiting a manifest came to. */
interface Visit {
  readonly isWholeAfterwards: boolean;
  /** Steps that belong to it and to everything below it, in their order. */
  readonly steps: readonly number[];
}

/**
 * What brings damaged images back, as steps that can be made one after the other and cut off after any.
 *
 * A link is planned only where it leads to something whole: a manifest of which a part stays lost is left as it is,
 * while its healthy children come back. What no tag leads to is relinked, but nothing is fetched for it.
 */
export function planRepair(repositories: readonly DamagedRepository[], options: PlanOptions): Plan {
  const builder = createBuilder(collectOffers(repositories));
  const images: PlannedImage[] = [];
  for (const damaged of repositories) {
    const visits = new Map<Digest, Visit>();
    for (const root of damaged.roots) {
      const image = planRoot(damaged, root, visits, builder, options);
      if (image) images.push(image);
    }
  }
  return { steps: builder.steps, images };
}

interface Builder {
  readonly steps: Step[];
  /** Blobs that a step brings, as {@link changeKey} has them. */
  readonly brought: Set<string>;
  readonly offersOf: (registry: string, part: Part) => readonly Offer[];
}

function createBuilder(offers: ReadonlyMap<string, readonly Offer[]>): Builder {
  return {
    steps: [],
    brought: new Set(),
    offersOf: (registry, { digest }) => offers.get(blobKey(registry, digest)) ?? [],
  };
}

function planRoot(
  { registry, repository }: DamagedRepository,
  root: Root,
  visits: Map<Digest, Visit>,
  builder: Builder,
  options: PlanOptions,
): PlannedImage | undefined {
  const node = "node" in root ? root.node : root.candidate;
  const place = { registry, repository };
  const visitor: Visitor = { ...place, visits, builder, mayFetch: root.tag !== null };
  const isTagLost = !("node" in root);
  // Without leave to set the tag, what it meant is not brought back either: nobody could pull it by the tag.
  const visit = node && (!isTagLost || options.tagLinks) ? visitNode(node, visitor) : notWhole;
  const tagStep =
    isTagLost && node && visit.isWholeAfterwards ? [addTagStep(place, root, node, builder, visit)] : [];
  const isWholeAfterwards = visit.isWholeAfterwards && (!isTagLost || tagStep.length > 0);
  const steps = [...visit.steps, ...tagStep];
  const lost = collectLost(root, (part) => builder.offersOf(registry, part).length > 0);
  // What nobody pulls by a name, and cannot be relinked, is for the advice: it may well be meant to go.
  if (lost.length === 0 || (root.tag === null && steps.length === 0)) return undefined;
  const isFetched = steps.some((step) => builder.steps[step]?.changes.some(({ kind }) => kind === "blob"));
  const usual = isFetched ? "recopy" : "relink";
  const image = { ...place, tag: root.tag, digest: node?.digest ?? null, lost };
  const next = isWholeAfterwards ? [] : nextCommands(image, root, options);
  return {
    ...image,
    remedy: isWholeAfterwards ? usual : "rebuild",
    wholeAfterwards: isWholeAfterwards,
    steps,
    next,
  };
}

const notWhole: Visit = { isWholeAfterwards: false, steps: [] };

interface Visitor {
  readonly registry: string;
  readonly repository: string;
  readonly visits: Map<Digest, Visit>;
  readonly builder: Builder;
  /** Whether content may be fetched; else links alone are put back. */
  readonly mayFetch: boolean;
}

/** Children first, so that nothing is linked before what it leads to. */
function visitNode(node: ImageNode, visitor: Visitor): Visit {
  const known = visitor.visits.get(node.digest);
  if (known) return known;
  const below = node.children.map((child) => visitNode(child.node, visitor));
  const areChildrenRight = node.children.every((child) => wrongSizeOf(child) === undefined);
  const steps = [...new Set(below.flatMap((visit) => visit.steps))];
  const parts = [...node.blobs, node.own];
  const isHealable =
    node.type !== "unknown" &&
    areChildrenRight &&
    below.every((visit) => visit.isWholeAfterwards) &&
    parts.every((part) => isObtainable(part, visitor));
  const own = isHealable ? addStep(node, parts, steps, visitor) : [];
  const visit = { isWholeAfterwards: isHealable, steps: [...steps, ...own] };
  visitor.visits.set(node.digest, visit);
  return visit;
}

function isObtainable(part: Part, { registry, builder, mayFetch }: Visitor): boolean {
  if (part.link.state === "unreadable") return false;
  if (part.holding.state === "good") return true;
  if (part.holding.state !== "missing" && part.holding.state !== "damaged") return false;
  if (builder.brought.has(blobKey(registry, part.digest))) return true;
  return mayFetch && builder.offersOf(registry, part).length > 0;
}

/** The step of one manifest, where it lacks anything. */
function addStep(
  node: ImageNode,
  parts: readonly Part[],
  below: readonly number[],
  { registry, repository, builder }: Visitor,
): readonly number[] {
  const changes = parts.flatMap((part) =>
    changesFor({ registry, repository }, part, builder.offersOf(registry, part)),
  );
  if (changes.length === 0) return [];
  for (const change of changes) if (change.kind === "blob") builder.brought.add(changeKey(change));
  const holds = [...parts.map(({ digest }) => digest), ...node.children.map((child) => child.node.digest)];
  return [
    builder.steps.push({ registry, repository, changes, holds: [...new Set(holds)], needs: below }) - 1,
  ];
}

function addTagStep(
  place: Place,
  { tag, reason }: Extract<Root, { reason: string }>,
  { digest }: ImageNode,
  builder: Builder,
  { steps }: Visit,
): number {
  const change = tagChange(place, tag, digest, reason);
  return builder.steps.push({ ...place, changes: [change], holds: [digest], needs: [...steps] }) - 1;
}
