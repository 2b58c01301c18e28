import type { Finding, RegistryMode } from "../../contract/scan-report.ts";
import { linkedManifests, type RepositoryFacts } from "../graph/facts.ts";
import { findFaults } from "../graph/findings.ts";
import type { StoreSource } from "../source/source.ts";
import type { ReadManifest } from "./manifest-cache.ts";
import { readRepository } from "./read-repository.ts";
import type { Verification } from "./verification.ts";

/** What was looked at in one repository, and what seems bad at the first look. */
export interface Judgement {
  readonly repository: string;
  readonly counts: Counts;
  readonly suspects: readonly Finding[];
}

export type Counts = Record<"tags" | "indexes" | "manifests" | "layerLinks", number>;

/** What repositories of one store share. */
export interface Shared {
  readonly manifest: ReadManifest;
  readonly blob: RepositoryFacts["blob"];
  readonly verifier?: Verification | undefined;
}

/** Reads one repository and judges it; its facts are dropped then. */
export async function judgeRepository(
  source: StoreSource,
  mode: RegistryMode,
  repository: string,
  shared: Shared,
): Promise<Judgement> {
  const read = await readRepository(source, mode, repository, shared);
  const facts = shared.verifier ? await shared.verifier.verify(read) : read;
  return { repository, counts: countsOf(facts), suspects: findFaults(facts) };
}

function countsOf(facts: RepositoryFacts): Counts {
  const indexes = linkedManifests(facts).filter((digest) => {
    const state = facts.manifests.get(digest);
    return state?.state === "parsed" && state.manifest.type === "index";
  });
  return {
    tags: named(facts.tags),
    manifests: named(facts.revisions),
    layerLinks: named(facts.layerLinks),
    indexes: indexes.length,
  };
}

function named(links: RepositoryFacts["tags"]): number {
  return links.filter(({ name }) => name !== null).length;
}
