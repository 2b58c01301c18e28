import type { Digest } from "../registry/digest.ts";
import type { LinkThing } from "./thing.ts";

/** Since when marks find links of one repository unreached, milliseconds since 1970, by {@link linkKey}. */
export type LinkAges = ReadonlyMap<string, number>;

/** What earlier marks found; undefined for what the last mark did not find unreached. */
export interface Ages {
  readonly links: (repository: string) => LinkAges | undefined;
  readonly blob: (digest: Digest) => number | undefined;
}

export function linkKey(kind: LinkThing["kind"], digest: string): string {
  return `${kind} ${digest}`;
}
