import type { Finding, FindingCause, FindingKind } from "../../contract/scan-report.ts";
import type { Digest } from "../registry/digest.ts";
import type { BlobDescriptor } from "../registry/manifest.ts";
import type { BlobState, LinkFact, ManifestState } from "../source/source.ts";
import { collectReferences, type References } from "./references.ts";
import { brokenPartMessage, brokenTagMessage, notLookedAtMessage } from "./served-messages.ts";

/** What a registry answered about one repository. */
export interface ServedFacts {
  readonly registry: string;
  readonly repository: string;
  readonly tags: readonly LinkFact[];
  /** Of all tags and of all that these lead to. */
  readonly manifests: ReadonlyMap<Digest, ManifestState>;
  /** Of all blobs that these name. */
  readonly blobs: ReadonlyMap<Digest, BlobState>;
}

/** Everything that a tag needs and the registry does not serve, or could not be asked for; one finding a thing. */
export function findBrokenParts(facts: ServedFacts): readonly Finding[] {
  const references = collectReferences(facts);
  return [
    ...facts.tags.flatMap((tag) => judgeTag(facts, tag)),
    ...[...facts.manifests].flatMap(([digest, state]) => judgeManifest(facts, references, digest, state)),
    ...[...collectUses(facts.manifests)].flatMap(([digest, uses]) =>
      judgeBlob(facts, references, digest, uses),
    ),
  ];
}

function judgeTag({ registry, repository }: ServedFacts, { name, link }: LinkFact): readonly Finding[] {
  if (link.state === "linked") return [];
  const tags = name === null ? [] : [name];
  const common = {
    kind: "tag",
    registry,
    repository,
    digest: null,
    parent: null,
    tags,
    platform: null,
  } as const;
  if (link.state === "unreadable")
    return [
      {
        ...common,
        cause: "unreadable",
        severity: "warning",
        remedy: "none",
        message: notLookedAtMessage(link),
      },
    ];
  const message = brokenTagMessage(registry, repository, tags);
  return [{ ...common, cause: "link-missing", severity: "critical", remedy: "rebuild", message }];
}

function judgeManifest(
  facts: ServedFacts,
  references: References,
  digest: Digest,
  state: ManifestState,
): readonly Finding[] {
  if (state.state === "parsed") return [];
  const kind = references.mentioned.has(digest) ? "index-child" : "manifest";
  const part = { kind, digest, owners: [digest], parent: references.mainReference(digest)?.parent } as const;
  if (state.state === "unreadable")
    return [toFinding(facts, references, { ...part, cause: "unreadable" }, notLookedAtMessage(state))];
  const causes = { missing: "link-missing", empty: "blob-empty", altered: "digest-mismatch" } as const;
  return [toFinding(facts, references, { ...part, cause: causes[state.state] })];
}

/** One mention of a blob in an image. */
interface Use {
  readonly owner: Digest;
  readonly blob: BlobDescriptor;
}

/** Every blob that an image names, with all its mentions. */
function collectUses(manifests: ServedFacts["manifests"]): ReadonlyMap<Digest, readonly Use[]> {
  const uses = [...manifests].flatMap(([owner, state]) =>
    state.state === "parsed" && state.manifest.type === "image"
      ? state.manifest.blobs.map((blob) => ({ owner, blob }))
      : [],
  );
  return Map.groupBy(uses, ({ blob }) => blob.digest);
}

function judgeBlob(
  facts: ServedFacts,
  references: References,
  digest: Digest,
  uses: readonly Use[],
): readonly Finding[] {
  const state = facts.blobs.get(digest);
  // Of a tag that was left out on purpose.
  if (!state) return [];
  const bad = uses.filter(({ blob }) => faultOf(state, blob) !== undefined);
  const [first] = bad;
  const cause = first && faultOf(state, first.blob);
  if (!first || !cause) return [];
  const owners = bad.map(({ owner }) => owner);
  const main = owners.find((owner) => references.reachOf(owner).isForRealPlatform) ?? first.owner;
  const part = { kind: first.blob.role, digest, owners, parent: main, cause } as const;
  const message = state.state === "unreadable" ? notLookedAtMessage(state) : undefined;
  return [toFinding(facts, references, part, message)];
}

/** Why a blob is not what an image needs; undefined when it is. */
function faultOf(state: BlobState, { sizeBytes }: BlobDescriptor): FindingCause | undefined {
  if (state.state === "missing") return "blob-missing";
  if (state.state === "unreadable") return "unreadable";
  if (sizeBytes === null || state.sizeBytes === sizeBytes) return undefined;
  return state.sizeBytes === 0 ? "blob-empty" : "size-mismatch";
}

interface Part {
  readonly kind: FindingKind;
  readonly cause: FindingCause;
  readonly digest: Digest;
  /** Manifests that are not whole without it; itself, if it is one. */
  readonly owners: readonly Digest[];
  readonly parent: Digest | undefined;
}

function toFinding(
  { registry, repository }: ServedFacts,
  references: References,
  { kind, cause, digest, owners, parent }: Part,
  message?: string,
): Finding {
  const reaches = owners.map(references.reachOf);
  const tags = [...new Set(reaches.flatMap((reach) => reach.tags))].sort();
  const isForRealPlatform = reaches.some((reach) => reach.isForRealPlatform);
  // A blob's platform is that of the image that it belongs to.
  const shown = kind === "config" || kind === "layer" ? (parent ?? digest) : digest;
  const finding = {
    kind,
    cause,
    severity: isForRealPlatform && cause !== "unreadable" ? "critical" : "warning",
    registry,
    repository,
    digest,
    parent: parent ?? null,
    tags,
    platform: references.mainReference(shown)?.child.platform ?? null,
    remedy: cause === "unreadable" ? "none" : "rebuild",
  } as const;
  return { ...finding, message: message ?? brokenPartMessage(finding) };
}
