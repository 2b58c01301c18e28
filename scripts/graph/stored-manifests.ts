import type { FindingCause, Remedy } from "../../contract/finding.ts";
import { type Digest, parseDigest } from "../registry/digest.ts";
import type { LinkFact, LinkState, ManifestState } from "../source/source.ts";
import { collectWrongSizes, type Defect, locateDefect } from "./defects.ts";
import { detailOfUnreadable, type RawFinding } from "./raw-finding.ts";
import type { StoreView } from "./store-view.ts";

/**
 * Manifests that tags, indexes or links promise and the registry cannot serve, whether the link is missing or what it
 * leads to. Below a bad one nothing can be seen, so each is reported by itself.
 *
 * In a cache only what a link promises counts: of every index it holds what was once asked for.
 * Source: distribution v2.8.3, registry/storage/manifeststore.go, Get.
 */
export function findBadManifests(view: StoreView): readonly RawFinding[] {
  const { facts, references } = view;
  const tagged = facts.tags.flatMap(({ link }) => (link.state === "linked" ? [link.digest] : []));
  const needed = new Set([...references.mentioned.keys(), ...tagged]);
  const all = new Set([...facts.manifests.keys(), ...needed]);
  const wrongSizes = facts.mode === "cache" ? [] : collectWrongSizes(facts.manifests, references);
  return [
    ...facts.revisions.flatMap((fact) => checkLink(view, fact)),
    ...[...all].flatMap((digest) => checkManifest(view, digest, needed.has(digest))),
    ...wrongSizes.map((defect) => toFinding(view, defect, "rebuild")),
  ];
}

function checkLink(view: StoreView, { name, link }: LinkFact): readonly RawFinding[] {
  if (link.state === "linked") return [];
  const digest = parseDigest(name ?? "");
  if (digest) return [badLink(view, digest, link)];
  const { registry, repository } = view.facts;
  const finding = {
    kind: "manifest",
    severity: "warning",
    registry,
    repository,
    digest: null,
    parent: null,
    tags: [],
    platform: null,
  } as const;
  return [{ ...finding, ...faultOfLink(link) }];
}

function badLink(view: StoreView, digest: Digest, link: Exclude<LinkState, { state: "linked" }>): RawFinding {
  const fault = faultOfLink(link);
  const canRelink = view.isComplete(digest) && view.facts.mode !== "cache";
  const known = fault.cause === "unreadable" ? "none" : canRelink ? "relink" : undefined;
  const finding = toFinding(view, defectOf(view, "manifest", fault.cause, digest), known);
  return { ...finding, place: fault.place, detail: fault.detail };
}

/** What is wrong with a link of which the name alone says what it is for. */
export function faultOfLink(link: Exclude<LinkState, { state: "linked" }>) {
  if (link.state === "unreadable")
    return { cause: "unreadable", remedy: "none", ...detailOfUnreadable(link) } as const;
  const reason = link.state === "missing" ? "is missing" : link.reason;
  return { cause: "link-invalid", remedy: "remove-link", place: link.location, detail: { reason } } as const;
}

const causes = {
  missing: "blob-missing",
  empty: "blob-empty",
  altered: "digest-mismatch",
  invalid: "link-invalid",
} as const;

function checkManifest(view: StoreView, digest: Digest, isNeeded: boolean): readonly RawFinding[] {
  const { facts, links, references } = view;
  const link = links.manifest(digest);
  const state = stateOf(view, link?.state === "linked" ? link.digest : digest);
  // What lies below it is unknown, linked or not.
  const unread = state.state === "unreadable" ? [unreadableFinding(view, digest, state)] : [];
  if (!link) {
    if (!isNeeded || facts.mode === "cache" || !links.areManifestsKnown) return unread;
    const kind = references.mentioned.has(digest) ? "index-child" : "manifest";
    const remedy = view.isComplete(digest) ? "relink" : "rebuild";
    const finding = toFinding(view, defectOf(view, kind, "link-missing", digest), remedy);
    return [{ ...finding, detail: { remains: view.remainsOf(digest) } }, ...unread];
  }
  if (link.state !== "linked" || state.state === "parsed" || state.state === "unreadable") return unread;
  return [toFinding(view, defectOf(view, "manifest", causes[state.state], digest))];
}

function stateOf({ facts }: StoreView, digest: Digest): ManifestState {
  return facts.manifests.get(digest) ?? { state: "missing" };
}

function unreadableFinding(
  view: StoreView,
  digest: Digest,
  state: Extract<ManifestState, { state: "unreadable" }>,
): RawFinding {
  const finding = toFinding(view, defectOf(view, "manifest", "unreadable", digest), "none");
  return { ...finding, ...detailOfUnreadable(state) };
}

function defectOf(
  { references }: StoreView,
  kind: Defect["kind"],
  cause: FindingCause,
  digest: Digest,
): Defect {
  return { kind, cause, digest, owners: [digest], parent: references.mainReference(digest)?.parent };
}

function toFinding(view: StoreView, defect: Defect, known?: Remedy): RawFinding {
  const { facts, references } = view;
  const located = locateDefect(facts, references, defect);
  // A cache fetches it again by itself; what no tag needs is unreferenced.
  const isUnreferenced = facts.mode === "cache" || located.tags.length === 0;
  const remedy = known ?? (isUnreferenced ? "remove-link" : "rebuild");
  return { ...located, severity: facts.mode === "cache" ? "warning" : located.severity, remedy };
}
