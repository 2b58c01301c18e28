import type { Finding, FindingCause } from "../../contract/scan-report.ts";
import { type Digest, isDigestOfNothing, parseDigest } from "../registry/digest.ts";
import type { LinkFact, LinkState } from "../source/source.ts";
import { idleLinkMessage, neededBlobMessage } from "./blob-messages.ts";
import { linkMessage, unreadableMessage } from "./messages.ts";
import { type BadBlob, collectBadBlobs, faultOfBlob, locatePart, mainOwner } from "./parts.ts";
import type { StoreView } from "./store-view.ts";

/**
 * Configurations and layers that images need and the registry cannot serve, and links that lead to nothing whoever needs
 * them. The registry serves a blob of the store to whom the repository's link lets it.
 *
 * Source: distribution v2.8.3, registry/storage/linkedblobstore.go, Stat.
 */
export function findBadBlobs(view: StoreView): readonly Finding[] {
  // Of what a cache's images need, it lawfully holds a part.
  const needed = view.facts.mode === "cache" ? [] : findNeededBlobs(view);
  const told = new Set(needed.map(({ digest }) => digest));
  return [...needed, ...view.facts.layerLinks.flatMap((fact) => judgeIdleLink(view, fact, told))];
}

function findNeededBlobs(view: StoreView): readonly Finding[] {
  const { facts, links } = view;
  const bad = collectBadBlobs(facts.manifests, (blob) => {
    const link = links.layer(blob.digest);
    // An alias leads to the canonical digest, under which alone the store keeps content.
    const kept = link?.state === "linked" ? link.digest : blob.digest;
    return faultOfBlob(facts.blob(kept), blob) ?? linkFault(view, link);
  });
  const isServed = (owner: Digest) => links.manifest(owner)?.state === "linked";
  return bad.flatMap((blob) => {
    // An image that is lost itself is told as such, with how many of its blobs are gone.
    const isGone = blob.cause === "blob-missing" || blob.cause === "blob-empty";
    if (isGone && !blob.owners.some(isServed)) return [];
    return [neededBlob(view, blob)];
  });
}

function linkFault({ links }: StoreView, link: LinkState | undefined): FindingCause | undefined {
  if (link?.state === "linked") return undefined;
  if (link) return link.state === "invalid" ? "link-invalid" : "unreadable";
  return links.areLayersKnown ? "link-missing" : undefined;
}

function neededBlob(view: StoreView, { digest, role, cause, owners }: BadBlob): Finding {
  const { facts, references, links } = view;
  const state = facts.blob(digest);
  const link = links.layer(digest);
  const isOfLink = faultOfLink.has(cause) || (cause === "unreadable" && state.state !== "unreadable");
  const kind = isOfLink ? "layer-link" : role;
  const parent = mainOwner(references, owners);
  const located = locatePart(facts, references, { kind, cause, digest, owners, parent });
  const isIdle = located.tags.length === 0;
  const healed = faultOfLink.has(cause) ? "relink" : isIdle ? "remove-link" : "rebuild";
  const finding = { ...located, remedy: cause === "unreadable" ? ("none" as const) : healed } as const;
  const unread = [state, link].find((one) => one?.state === "unreadable");
  if (cause === "unreadable" && unread?.state === "unreadable")
    return { ...finding, message: unreadableMessage(unread) };
  return { ...finding, message: neededBlobMessage(finding, role, digest, link) };
}

const faultOfLink: ReadonlySet<FindingCause> = new Set(["link-missing", "link-invalid"]);

/** A repository's blob links that lead to nothing. They are reported in caches too. */
function judgeIdleLink(
  { facts }: StoreView,
  { name, link }: LinkFact,
  told: ReadonlySet<string | null>,
): readonly Finding[] {
  if (link.state === "linked") {
    const cause = faultOfIdle(facts.blob(link.digest), link.digest);
    if (!cause || told.has(name)) return [];
    const digest = parseDigest(name ?? "") ?? link.digest;
    return [idleLink(facts, digest, cause, idleLinkMessage(facts, digest, cause))];
  }
  if (name !== null && told.has(name)) return [];
  const digest = parseDigest(name ?? "") ?? null;
  if (link.state === "unreadable") return [idleLink(facts, digest, "unreadable", unreadableMessage(link))];
  const message = linkMessage(link, "blob", { ...facts, digest, remedy: "remove-link", tags: [] });
  return [idleLink(facts, digest, "link-invalid", message)];
}

/** An unreadable blob is told with the store, once, not with each link to it. */
function faultOfIdle(
  state: ReturnType<StoreView["facts"]["blob"]>,
  digest: Digest,
): "blob-missing" | "blob-empty" | undefined {
  if (state.state === "missing") return "blob-missing";
  const isEmpty = state.state === "present" && state.sizeBytes === 0;
  return isEmpty && !isDigestOfNothing(digest) ? "blob-empty" : undefined;
}

function idleLink(
  { registry, repository }: StoreView["facts"],
  digest: Digest | null,
  cause: FindingCause,
  message: string,
): Finding {
  const remedy = cause === "unreadable" ? "none" : "remove-link";
  const nobody = { severity: "warning", parent: null, tags: [], platform: null } as const;
  return { kind: "layer-link", cause, ...nobody, registry, repository, digest, remedy, message };
}
