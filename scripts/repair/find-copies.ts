import { ProgramError } from "../cli/errors.ts";
import type { Digest } from "../registry/digest.ts";
import type { ManifestState, Unreadable } from "../source/source.ts";
import type { CandidateCopy, CopiesFound } from "./copies-found.ts";
import type { CopySource } from "./copy-source.ts";

export type ParsedManifest = Extract<ManifestState, { state: "parsed" }>;

/** Finds copies of what one registry lost. */
export interface CopySearch {
  /** Asks for a blob, under the first of these digests that a source knows. */
  readonly findBlob: (repository: string, target: Digest, ...others: readonly Digest[]) => Promise<void>;
  /** A manifest as the first source has it: without it, it is unknown what else is needed. */
  readonly findManifest: (repository: string, digest: Digest) => Promise<ParsedManifest | undefined>;
  readonly found: CopiesFound;
}

/**
 * Asks each source once for a digest: what one repository of a registry gets serves all of its repositories.
 *
 * Errors: E_REGISTRY_UNREACHABLE and E_STORE_UNREADABLE when a source cannot be asked: a plan without it would promise
 * less than there is.
 */
export function createCopySearch(sources: readonly CopySource[]): CopySearch {
  const found = new Map<Digest, readonly CandidateCopy[]>();
  const asked = new Set<string>();
  const manifests = new Map<Digest, ParsedManifest>();
  const isNew = (...question: readonly string[]) => {
    const key = question.join(" ");
    return !asked.has(key) && asked.add(key);
  };
  const hasCopy = (target: Digest, { label }: CopySource) =>
    (found.get(target) ?? []).some((copy) => copy.source === label);
  const add = (target: Digest, copy: CandidateCopy) =>
    found.set(target, [...(found.get(target) ?? []), copy]);
  return {
    found,
    findBlob: async (name, target, ...others) => {
      for (const one of sources) {
        const repository = one.repositoryFor(name);
        for (const digest of new Set([target, ...others])) {
          if (hasCopy(target, one) || !isNew("blob", one.label, repository, digest)) continue;
          const state = await one.source.blob(repository, digest);
          if (state.state === "unreadable") throw cannotAsk(one, state);
          if (state.state === "present" && state.isAltered !== true)
            add(target, { source: one.label, repository, digest, sizeBytes: state.sizeBytes });
        }
      }
    },
    findManifest: async (name, digest) => {
      for (const one of sources) {
        const repository = one.repositoryFor(name);
        const known = manifests.get(digest);
        if (known || !isNew("manifest", one.label, repository, digest)) continue;
        const state = await one.source.manifest(repository, digest);
        if (state.state === "unreadable" && state.isUnparsable !== true) throw cannotAsk(one, state);
        // Without a size these are not the very bytes that the digest stands for.
        if (state.state !== "parsed" || state.sizeBytes === undefined) continue;
        manifests.set(digest, state);
        add(digest, { source: one.label, repository, digest, sizeBytes: state.sizeBytes });
      }
      return manifests.get(digest);
    },
  };
}

function cannotAsk({ label }: CopySource, { location, reason, kind }: Unreadable): ProgramError {
  const code = kind === undefined ? "E_STORE_UNREADABLE" : "E_REGISTRY_UNREACHABLE";
  const hint =
    kind === "unauthorised"
      ? "Check FROM_USER and FROM_PASS, or docker's config.json."
      : "Repair it first, or leave it out.";
  return new ProgramError(
    code,
    `Cannot ask ${label} what it has: ${location} ${reason}. Nothing was changed. ${hint}`,
  );
}
