import type { RetainDecision, RetainReason } from "../../contract/retain-report.ts";
import type { Digest } from "../registry/digest.ts";
import type { LinkState } from "../source/source.ts";

/** A tag that leads to a manifest. */
export interface Tag {
  readonly name: string;
  readonly digest: Digest;
  /** When its link was written, milliseconds since 1970. */
  readonly pushedAt: number;
}

/** A tag whose link is of no use. */
export interface UselessTag {
  readonly name: string;
  readonly link: Exclude<LinkState, { readonly state: "linked" }>;
}

/** The tags of one repository at one moment. */
export interface RepositoryTags {
  readonly name: string;
  readonly tags: readonly Tag[];
  readonly useless: readonly UselessTag[];
}

/** What was decided about one tag, and by what. */
export interface Decision {
  readonly name: string;
  /** Undefined for a tag whose link is of no use. */
  readonly tag: Tag | undefined;
  readonly decision: RetainDecision;
  readonly by: RetainReason;
  /** Why, for people. */
  readonly text: string;
  /** Of one that waits: until when, milliseconds since 1970. */
  readonly until?: number | undefined;
}
