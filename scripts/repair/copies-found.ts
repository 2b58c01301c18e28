import { type Digest, isDigestOfNothing } from "../registry/digest.ts";
import type { Need } from "./needs.ts";

/** Where a blob or manifest can be copied from. */
export interface CandidateCopy {
  /** Label of the source. */
  readonly source: string;
  /** Repository to ask there. */
  readonly repository: string;
  /** What to ask for there: a registry may know content only by the digest that it was pushed under. */
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** Candidate copies by the digest under which they are to be stored, one a source, best first. */
export type CopiesFound = ReadonlyMap<Digest, readonly CandidateCopy[]>;

/** Copies with the length that clients expect. */
export function copiesOf({ target, sizeBytes }: Need, copies: CopiesFound): readonly CandidateCopy[] {
  return (copies.get(target) ?? []).filter((copy) => copy.sizeBytes === (sizeBytes ?? copy.sizeBytes));
}

/** Whether content can be had: from a copy, or because there is none to fetch. */
export function canBeWritten(need: Need, copies: CopiesFound): boolean {
  const isEmpty = isDigestOfNothing(need.target) && (need.sizeBytes ?? 0) === 0;
  return isEmpty || copiesOf(need, copies).length > 0;
}
