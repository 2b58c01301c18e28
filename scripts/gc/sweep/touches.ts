import { coverageFault } from "../../access-log/coverage.ts";
import { type LogTail, tailAccessLog } from "../../access-log/follow.ts";
import { touchedBy, touchedDigests } from "../../access-log/touched-digests.ts";
import type { Digest } from "../../registry/digest.ts";

/** Digests that clients were told to exist, and the repositories in which. */
export type Touched = ReadonlyMap<Digest, ReadonlySet<string>>;

/** What clients were told to exist, by the access log. */
export interface Touches {
  /** Since the grace began; or why the log does not say that, as sentences. */
  readonly before: () => Promise<{ readonly touched: Touched } | { readonly fault: string }>;
  /** Since the last call. Errors: those of the file system. */
  readonly meanwhile: () => Promise<Touched>;
  readonly close: () => Promise<void>;
}

/** By the logs at these paths. `since`: begin of the grace, milliseconds since 1970. */
export async function touchesOf(paths: readonly string[], since: number): Promise<Touches> {
  // From before the first read on, so that no line comes between both.
  const tails: LogTail[] = [];
  for (const path of paths) tails.push(await tailAccessLog(path, "end"));
  return {
    before: async () => {
      const { coverage, digests } = await touchedDigests(paths, since);
      const fault = coverageFault(coverage, { since, now: Date.now() });
      return fault === undefined ? { touched: digests } : { fault };
    },
    meanwhile: async () => {
      const touched = new Map<Digest, Set<string>>();
      for (const tail of tails)
        for await (const request of tail.read()) {
          const one = touchedBy(request);
          if (one) touched.set(one.digest, (touched.get(one.digest) ?? new Set()).add(one.repository));
        }
      return touched;
    },
    close: async () => {
      for (const tail of tails) await tail.close();
    },
  };
}

/** Of a store that is served by nothing: no client is told anything. */
export const noTouches: Touches = {
  before: async () => ({ touched: new Map() }),
  meanwhile: async () => new Map(),
  close: async () => {},
};
