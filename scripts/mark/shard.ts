import { type Digest, splitDigest } from "../registry/digest.ts";
import type { Share } from "../source/source.ts";

const buckets = 256;

/** Whether a digest belongs to a shard: each has as many of 256 buckets, by the first two digits. Without one, all do. */
export function shardFilter(shard: Share | undefined): (digest: Digest) => boolean {
  if (!shard || shard.count === 1) return () => true;
  return (digest) => {
    const bucket = Number.parseInt(splitDigest(digest).hex.slice(0, 2), 16);
    return Math.floor((bucket * shard.count) / buckets) === shard.index;
  };
}
