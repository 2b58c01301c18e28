import type { Digest } from "../registry/digest.ts";
import type { BlobState, Pace, StoreSource } from "./source.ts";

/** What the blobs of one store are worth, by every byte. `name`: as for {@link StoreSource.verifiedBlob}. */
export type VerifiedBlobs = (digest: Digest, name?: Digest) => Promise<BlobState>;

/** Reads a blob to its end once, however many repositories need it, and again only when its file has changed. */
export function createVerifiedBlobs(
  source: Pick<StoreSource, "blob" | "verifiedBlob">,
  pace: Pace,
): VerifiedBlobs {
  const known = new Map<string, { readonly stamp: string; readonly state: BlobState }>();
  return async (digest, name = digest) => {
    const before = await source.blob("", digest);
    if (before.state !== "present") return before;
    const stamp = `${before.sizeBytes} ${before.modifiedAt}`;
    const memoized = known.get(`${digest} ${name}`);
    if (memoized?.stamp === stamp) return memoized.state;
    const state = await source.verifiedBlob(digest, pace, name);
    // What could not be read may be readable the next time.
    if (state.state === "present") known.set(`${digest} ${name}`, { stamp, state });
    return state;
  };
}

/** Whether a blob is there with the bytes that its digest stands for. */
export function isSound(state: BlobState): boolean {
  return state.state === "present" && state.isAltered !== true;
}
