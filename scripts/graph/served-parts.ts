import type { Finding } from "../../contract/scan-report.ts";
import type { Digest } from "../registry/digest.ts";
import { subjectOfTag } from "../registry/tag.ts";
import type { BlobState, LinkFact, ManifestState } from "../source/source.ts";
import {
  type BadBlob,
  collectBadBlobs,
  collectWrongSizes,
  faultOfBlob,
  locatePart,
  mainOwner,
  type Part,
} from "./parts.ts";
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
    ...collectWrongSizes(facts.manifests, references).map((part) => toFinding(facts, references, part)),
    ...collectBadBlobs(facts.manifests, (blob) => {
      const state = facts.blobs.get(blob.digest);
      // None of a tag that was left out on purpose.
      return state && faultOfBlob(state, blob);
    }).map((bad) => judgeBlob(facts, references, bad)),
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
  // Nobody runs what lies behind the tag of a signature.
  const severity = name !== null && subjectOfTag(name) ? "warning" : "critical";
  return [{ ...common, cause: "link-missing", severity, remedy: "rebuild", message }];
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

function judgeBlob(
  facts: ServedFacts,
  references: References,
  { digest, role, cause, owners }: BadBlob,
): Finding {
  const part = { kind: role, digest, owners, parent: mainOwner(references, owners), cause } as const;
  const state = facts.blobs.get(digest);
  const message = state?.state === "unreadable" ? notLookedAtMessage(state) : undefined;
  return toFinding(facts, references, part, message);
}

function toFinding(facts: ServedFacts, references: References, part: Part, message?: string): Finding {
  const located = locatePart(facts, references, part);
  const remedy = part.cause === "unreadable" ? "none" : "rebuild";
  const finding = { ...located, remedy } as const;
  return { ...finding, message: message ?? brokenPartMessage(finding) };
}
