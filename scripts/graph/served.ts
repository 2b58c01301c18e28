import type { Digest } from "../registry/digest.ts";
import { subjectOfTag } from "../registry/tag.ts";
import type { RepositoryFacts } from "../source/facts.ts";
import type { BlobState, LinkFact, ManifestState } from "../source/source.ts";
import { findBadName } from "./bad-name.ts";
import {
  type BadBlob,
  collectBadBlobs,
  collectWrongSizes,
  type Defect,
  faultOfBlob,
  locateDefect,
  mainOwner,
} from "./defects.ts";
import { detailOfUnreadable, type RawFinding } from "./raw-finding.ts";
import { collectReferences, type References } from "./references.ts";

/** Everything that a tag needs and the registry does not serve, or could not be asked for; one finding a thing. */
export function findServedFaults(facts: RepositoryFacts): readonly RawFinding[] {
  const references = collectReferences(facts);
  return [
    ...findBadName(facts),
    ...facts.tags.flatMap((tag) => checkTag(facts, tag)),
    ...[...facts.manifests].flatMap(([digest, state]) => checkManifest(facts, references, digest, state)),
    ...collectWrongSizes(facts.manifests, references).map((defect) => toFinding(facts, references, defect)),
    ...collectBadBlobs(facts.manifests, (blob) => {
      const state = facts.blob(blob.digest);
      return state && faultOfBlob(state, blob);
    }).map((bad) => badBlob(facts, references, bad)),
  ];
}

function checkTag(
  { registry, repository }: RepositoryFacts,
  { name, link }: LinkFact,
): readonly RawFinding[] {
  if (link.state === "linked") return [];
  const common = {
    kind: "tag",
    registry,
    repository,
    digest: null,
    parent: null,
    tags: name === null ? [] : [name],
    platform: null,
    place: link.location,
  } as const;
  if (link.state === "unreadable")
    return [
      { ...common, cause: "unreadable", severity: "warning", remedy: "none", ...detailOfUnreadable(link) },
    ];
  // No client runs what lies behind the tag of a signature.
  const severity = name !== null && subjectOfTag(name) ? "warning" : "critical";
  const finding = { ...common, severity, remedy: "rebuild" } as const;
  if (link.state === "missing") return [{ ...finding, cause: "link-missing" }];
  return [{ ...finding, cause: "link-invalid", detail: { reason: link.reason } }];
}

const causes = {
  missing: "link-missing",
  empty: "blob-empty",
  altered: "digest-mismatch",
  invalid: "link-invalid",
} as const;

function checkManifest(
  facts: RepositoryFacts,
  references: References,
  digest: Digest,
  state: ManifestState,
): readonly RawFinding[] {
  if (state.state === "parsed") return [];
  const kind = references.mentioned.has(digest) ? "index-child" : "manifest";
  const defect = {
    kind,
    digest,
    owners: [digest],
    parent: references.mainReference(digest)?.parent,
  } as const;
  if (state.state !== "unreadable") {
    const finding = toFinding(facts, references, { ...defect, cause: causes[state.state] });
    return [{ ...finding, ...detailOfPromise(state) }];
  }
  const finding = toFinding(facts, references, { ...defect, cause: "unreadable" });
  return [{ ...finding, ...detailOfUnreadable(state) }];
}

function badBlob(
  facts: RepositoryFacts,
  references: References,
  { digest, role, cause, owners }: BadBlob,
): RawFinding {
  const defect = { kind: role, digest, owners, parent: mainOwner(references, owners), cause } as const;
  const finding = toFinding(facts, references, defect);
  const state = facts.blob(digest);
  if (state?.state === "unreadable") return { ...finding, ...detailOfUnreadable(state) };
  return { ...finding, ...(state && detailOfPromise(state)) };
}

function detailOfPromise(state: ManifestState | BlobState): Pick<RawFinding, "detail"> {
  return state.state === "missing" && state.isPromised ? { detail: { isPromised: true } } : {};
}

function toFinding(facts: RepositoryFacts, references: References, defect: Defect): RawFinding {
  const located = locateDefect(facts, references, defect);
  return { ...located, remedy: defect.cause === "unreadable" ? "none" : "rebuild" };
}
