import type { Finding, FindingCause, Remedy } from "../../contract/scan-report.ts";
import { type Digest, parseDigest } from "../registry/digest.ts";
import type { LinkFact, ManifestState } from "../source/source.ts";
import { lostManifestMessage } from "./manifest-messages.ts";
import { linkMessage, unreadableMessage } from "./messages.ts";
import { collectWrongSizes, locatePart, type Part } from "./parts.ts";
import type { StoreView } from "./store-view.ts";

/**
 * Manifests that tags, indexes or links promise and the registry cannot serve, whether the link is lost or what it leads
 * to. Whoever looked into one that is bad would see nothing below it, so each is told where it lies.
 *
 * In a cache only what a link promises counts: of every index it holds what was once asked for.
 * Source: distribution v2.8.3, registry/storage/manifeststore.go, Get.
 */
export function findBadManifests(view: StoreView): readonly Finding[] {
  const { facts, references } = view;
  const tagged = facts.tags.flatMap(({ link }) => (link.state === "linked" ? [link.digest] : []));
  const needed = new Set([...references.mentioned.keys(), ...tagged]);
  const all = new Set([...facts.manifests.keys(), ...needed]);
  const wrongSizes = facts.mode === "cache" ? [] : collectWrongSizes(facts.manifests, references);
  return [
    ...facts.revisions.flatMap((fact) => judgeLink(view, fact)),
    ...[...all].flatMap((digest) => judgeManifest(view, digest, needed.has(digest))),
    ...wrongSizes.map((part) => toFinding(view, part, "rebuild")),
  ];
}

function judgeLink(view: StoreView, { name, link }: LinkFact): readonly Finding[] {
  if (link.state === "linked") return [];
  const digest = parseDigest(name ?? "");
  const { mode, registry, repository } = view.facts;
  const isUnreadable = link.state === "unreadable";
  const cause = isUnreadable ? "unreadable" : "link-invalid";
  if (digest) {
    const part = partOf(view, "manifest", cause, digest);
    const remedy = view.isWhole(digest) && mode !== "cache" ? "relink" : undefined;
    const finding = toFinding(view, part, isUnreadable ? "none" : remedy);
    const message = isUnreadable ? unreadableMessage(link) : linkMessage(link, "manifest", finding);
    return [{ ...finding, message }];
  }
  const nowhere = { digest: null, parent: null, tags: [], platform: null } as const;
  const finding = {
    kind: "manifest",
    cause,
    severity: "warning",
    registry,
    repository,
    ...nowhere,
    remedy: isUnreadable ? "none" : "remove-link",
  } as const;
  const message = isUnreadable ? unreadableMessage(link) : linkMessage(link, "manifest", finding);
  return [{ ...finding, message }];
}

const causes = {
  missing: "blob-missing",
  empty: "blob-empty",
  altered: "digest-mismatch",
  unreadable: "unreadable",
} as const;

function judgeManifest(view: StoreView, digest: Digest, isNeeded: boolean): readonly Finding[] {
  const { facts, links, references } = view;
  const link = links.manifest(digest);
  const state = stateOf(view, link?.state === "linked" ? link.digest : digest);
  // What lies below it is unknown, linked or not.
  const unread = state.state === "unreadable" ? [unreadableFinding(view, digest, state)] : [];
  if (!link) {
    if (!isNeeded || facts.mode === "cache" || !links.areManifestsKnown) return unread;
    const kind = references.mentioned.has(digest) ? "index-child" : "manifest";
    const remedy = view.isWhole(digest) ? "relink" : "rebuild";
    return [toFinding(view, partOf(view, kind, "link-missing", digest), remedy), ...unread];
  }
  if (link.state !== "linked" || state.state === "parsed" || state.state === "unreadable") return unread;
  return [toFinding(view, partOf(view, "manifest", causes[state.state], digest))];
}

function stateOf({ facts }: StoreView, digest: Digest): ManifestState {
  return facts.manifests.get(digest) ?? { state: "missing" };
}

function unreadableFinding(
  view: StoreView,
  digest: Digest,
  state: Extract<ManifestState, { state: "unreadable" }>,
): Finding {
  const finding = toFinding(view, partOf(view, "manifest", "unreadable", digest), "none");
  return { ...finding, message: unreadableMessage(state) };
}

function partOf({ references }: StoreView, kind: Part["kind"], cause: FindingCause, digest: Digest): Part {
  return { kind, cause, digest, owners: [digest], parent: references.mainReference(digest)?.parent };
}

function toFinding(view: StoreView, part: Part, known?: Remedy): Finding {
  const { facts, references } = view;
  const located = locatePart(facts, references, part);
  // A cache fetches it again by itself; what no tag needs is only in the way.
  const isIdle = facts.mode === "cache" || located.tags.length === 0;
  const remedy = known ?? (isIdle ? "remove-link" : "rebuild");
  const severity = facts.mode === "cache" ? "warning" : located.severity;
  const finding = { ...located, severity, remedy };
  return { ...finding, message: lostManifestMessage(view, finding, part.digest) };
}
