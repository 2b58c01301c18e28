import type { FindingCause } from "../../contract/finding.ts";
import { type Digest, isDigestOfNothing, parseDigest } from "../registry/digest.ts";
import type { BlobState, LinkFact, LinkState } from "../source/source.ts";
import { type BadBlob, collectBadBlobs, faultOfBlob, locateDefect, mainOwner } from "./defects.ts";
import { detailOfUnreadable, type RawFinding } from "./raw-finding.ts";
import type { StoreView } from "./store-view.ts";
import { faultOfLink } from "./stored-manifests.ts";

/**
 * Configurations and layers that images need and the registry cannot serve, and links that lead to nothing whatever needs
 * them. The registry serves a blob of the store where the repository links it.
 *
 * Source: distribution v2.8.3, registry/storage/linkedblobstore.go, Stat.
 */
export function findBadBlobs(view: StoreView): readonly RawFinding[] {
  // Of what a cache's images need, it lawfully holds a part.
  const needed = view.facts.mode === "cache" ? [] : findNeededBlobs(view);
  const reported = new Set(needed.map(({ digest }) => digest));
  return [...needed, ...view.facts.layerLinks.flatMap((fact) => checkUnreferencedLink(view, fact, reported))];
}

function findNeededBlobs(view: StoreView): readonly RawFinding[] {
  const { facts, links } = view;
  const bad = collectBadBlobs(
    facts.manifests,
    (blob) =>
      faultOfBlob(view.blob(blob.digest), blob) ?? causeOfLink(view, lastLink(view, blob.digest).link),
  );
  const isServed = (owner: Digest) => links.manifest(owner)?.state === "linked";
  return bad.flatMap((blob) => {
    // An image that is missing itself is reported as such, with how many of its blobs are gone.
    const isGone = blob.cause === "blob-missing" || blob.cause === "blob-empty";
    if (isGone && !blob.owners.some(isServed)) return [];
    return [neededBlob(view, blob)];
  });
}

/**
 * The link that a blob is served by. What was pushed by another algorithm needs two: that of its own digest leads to the
 * digest under which the store keeps it, and the registry asks for the link of that one as well.
 *
 * Source: distribution v2.8.3, registry/handlers/blob.go, GetBlob; registry/storage/linkedblobstore.go, ServeBlob.
 */
function lastLink(
  { links }: StoreView,
  digest: Digest,
): { readonly digest: Digest; readonly link: LinkState | undefined } {
  const link = links.layer(digest);
  if (link?.state !== "linked" || link.digest === digest) return { digest, link };
  return { digest: link.digest, link: links.layer(link.digest) };
}

function causeOfLink({ links }: StoreView, link: LinkState | undefined): FindingCause | undefined {
  if (link?.state === "linked") return undefined;
  if (link) return link.state === "unreadable" ? "unreadable" : "link-invalid";
  return links.areLayersKnown ? "link-missing" : undefined;
}

function neededBlob(view: StoreView, { digest: name, role, cause, owners }: BadBlob): RawFinding {
  const { facts, references } = view;
  const state = view.blob(name);
  const { digest: linked, link } = lastLink(view, name);
  const isOfLink = causesOfLink.has(cause) || (cause === "unreadable" && state.state !== "unreadable");
  const digest = isOfLink ? linked : name;
  const kind = isOfLink ? "layer-link" : role;
  const parent = mainOwner(references, owners);
  const located = locateDefect(facts, references, { kind, cause, digest, owners, parent });
  const isUnreferenced = located.tags.length === 0;
  const remedy = causesOfLink.has(cause) ? "relink" : isUnreferenced ? "remove-link" : "rebuild";
  const unread = [state, link].find((one) => one?.state === "unreadable");
  if (cause === "unreadable" && unread?.state === "unreadable")
    return { ...located, remedy: "none", ...detailOfUnreadable(unread) };
  if (link?.state === "invalid" && cause === "link-invalid")
    return { ...located, remedy, place: link.location, detail: { role, reason: link.reason } };
  return { ...located, remedy, detail: { role } };
}

const causesOfLink: ReadonlySet<FindingCause> = new Set(["link-missing", "link-invalid"]);

/** A repository's blob links that lead to nothing. They are reported in caches too. */
function checkUnreferencedLink(
  { facts }: StoreView,
  { name, link }: LinkFact,
  reported: ReadonlySet<string | null>,
): readonly RawFinding[] {
  if (name !== null && reported.has(name)) return [];
  const { registry, repository } = facts;
  const finding = {
    kind: "layer-link",
    severity: "warning",
    registry,
    repository,
    parent: null,
    tags: [],
    platform: null,
  } as const;
  const digest = parseDigest(name ?? "") ?? null;
  if (link.state !== "linked") return [{ ...finding, digest, ...faultOfLink(link) }];
  const cause = faultOfUnreferenced(facts.blob(link.digest), link.digest);
  if (!cause) return [];
  return [{ ...finding, cause, digest: digest ?? link.digest, place: null, remedy: "remove-link" }];
}

/** An unreadable blob is reported with the store, once, not with each link to it. */
function faultOfUnreferenced(state: BlobState, digest: Digest): "blob-missing" | "blob-empty" | undefined {
  if (state.state === "missing") return "blob-missing";
  const isEmpty = state.state === "present" && state.sizeBytes === 0;
  return isEmpty && !isDigestOfNothing(digest) ? "blob-empty" : undefined;
}
