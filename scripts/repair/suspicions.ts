import type { FindingFacts } from "../../contract/finding.ts";

/** What a scan found in one repository. */
export interface Suspicion {
  readonly repository: string;
  /** Tags without a usable link. */
  readonly lostTags: readonly string[];
  /** Blobs that a scan that reads them found to have other bytes. */
  readonly altered: ReadonlySet<string | null>;
}

/** The repositories in which a repair can change something, by name; of a large store a few. */
export function suspicionsOf(findings: readonly FindingFacts[]): readonly Suspicion[] {
  const byRepository = Map.groupBy(findings, ({ repository }) => repository);
  const suspicions = [...byRepository].flatMap(([repository, own]): readonly Suspicion[] => {
    if (repository === null || !own.some(canRepair)) return [];
    const lostTags = own.flatMap(({ kind, tags }) => (kind === "tag" ? tags : []));
    const altered = own.flatMap(({ cause, digest }) => (cause === "digest-mismatch" ? [digest] : []));
    return [{ repository, lostTags, altered: new Set(altered) }];
  });
  return suspicions.sort((a, b) => (a.repository < b.repository ? -1 : 1));
}

function canRepair({ kind, remedy }: FindingFacts): boolean {
  if (remedy === "none") return false;
  // What no tag needs may come back with what a tag of another repository needs; a link to nothing never does.
  return remedy !== "remove-link" || kind !== "layer-link";
}
