import type { Digest } from "../registry/digest.ts";
import type { BlobDescriptor } from "../registry/manifest.ts";
import { canonicalDigests, type StoreFacts } from "../source/facts.ts";
import type { BlobState, Pace, StoreSource } from "../source/source.ts";

/** Which blobs are read and compared with their digests. Manifests always are. */
export interface VerificationOptions {
  readonly roles: ReadonlySet<BlobDescriptor["role"]>;
  readonly pace: Pace;
}

/** Compares what images need with their digests, each blob once however many repositories need it. */
export interface Verification {
  /** The facts of a repository, with what was found when its blobs were read. */
  readonly verify: (facts: StoreFacts) => Promise<StoreFacts>;
  /** One blob, read again. `name`: the digest that images know it by. */
  readonly again: (digest: Digest, name: Digest) => Promise<BlobState>;
}

export function createVerification(source: StoreSource, { roles, pace }: VerificationOptions): Verification {
  const sound = new Set<Digest>();
  const unsound = new Map<Digest, BlobState>();
  const again = (digest: Digest, name: Digest) => source.verifiedBlob(digest, pace, name);
  const check = async (digest: Digest, name: Digest) => {
    const state = await again(digest, name);
    if (state.state === "present" && state.isAltered !== true) sound.add(name);
    else unsound.set(name, state);
  };
  return {
    again,
    verify: async (facts) => {
      const canonical = canonicalDigests(facts);
      for (const state of facts.manifests.values()) {
        if (state.state !== "parsed") continue;
        for (const { digest: name, role, sizeBytes } of state.manifest.blobs) {
          if (!roles.has(role) || sound.has(name) || unsound.has(name)) continue;
          const digest = canonical(name);
          const blob = facts.blob(digest);
          // Of another length than it should have, it is bad anyway and need not be read.
          if (blob.state === "present" && blob.sizeBytes === (sizeBytes ?? blob.sizeBytes))
            await check(digest, name);
        }
      }
      return { ...facts, blob: (digest) => unsound.get(digest) ?? facts.blob(digest) };
    },
  };
}
