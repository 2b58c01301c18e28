import type { Finding, FindingFacts } from "../../contract/finding.ts";
import type { FindingDetail, RawFinding } from "../graph/raw-finding.ts";
import { imageSentences } from "./image-sentences.ts";
import { nameSentences } from "./name-sentences.ts";
import { servedSentences } from "./served-sentences.ts";
import { storeSentences } from "./store-sentences.ts";

/** From where a finding was seen: the store on its disk, or the registry over HTTP. */
export type Viewpoint = "store" | "registry";

/** What is wrong and for which tags, and what to do about it. */
export interface Sentences {
  readonly message: string;
  readonly hint: string;
}

/** A finding as the sentences see it. */
export type Described = FindingFacts & { readonly detail: FindingDetail };

/** A finding in words. The only place where a finding's two sentences are made. */
export function describeFinding({ detail = {}, ...finding }: RawFinding, viewpoint: Viewpoint): Finding {
  const described = { ...finding, detail };
  const sentences =
    nameSentences(described) ??
    imageSentences(described) ??
    (viewpoint === "store" ? storeSentences(described) : servedSentences(described));
  return { ...finding, ...sentences };
}

/** Findings in words, in their order. */
export function describeFindings(findings: readonly RawFinding[], viewpoint: Viewpoint): readonly Finding[] {
  return findings.map((finding) => describeFinding(finding, viewpoint));
}
