import { relative, resolve } from "node:path";
import * as v from "valibot";
import type { Finding } from "../../contract/finding.ts";
import type { JournalEntry } from "../store-change/journal.ts";
import type { Store } from "./stores.ts";

/**
 * What a scan found before a run, kept in the run's journal: an undo brings that back, and anything else is new. Stores go
 * by their path from the directory that was given, which may be mounted elsewhere later.
 */
export interface KnownFindings {
  readonly note: (findings: readonly Finding[]) => { readonly found: readonly string[] };
  /** Of some findings, those that neither the run nor a scan before its undo had found. */
  readonly fresh: (
    findings: readonly Finding[],
    before: readonly Finding[],
    run: readonly JournalEntry[],
  ) => readonly Finding[];
}

const noteSchema = v.object({ found: v.array(v.string()) });

export function knownFindings(directory: string, stores: readonly Store[]): KnownFindings {
  const paths = new Map(
    stores.map(({ name, dataDirectory }) => [name, relative(resolve(directory), dataDirectory)]),
  );
  const identify = ({ registry, repository, kind, cause, digest, tags, place: path }: Finding) => {
    const thing = digest ?? (tags.length > 0 ? tags : relative(resolve(directory), path ?? ""));
    return JSON.stringify([paths.get(registry) ?? registry, repository, kind, cause, thing]);
  };
  return {
    note: (findings) => ({ found: findings.filter(isLasting).map(identify) }),
    fresh: (findings, before, entries) => {
      const found = foundIn(entries);
      // An old journal does not say what was damaged before its run.
      if (!found) return [];
      const known = new Set([...found, ...before.map(identify)]);
      return findings.filter((finding) => isLasting(finding) && !known.has(identify(finding)));
    },
  };
}

function foundIn(entries: readonly JournalEntry[]): readonly string[] | undefined {
  for (const entry of entries) {
    const parsed = entry.did === "note" ? v.safeParse(noteSchema, entry.note) : undefined;
    if (parsed?.success) return parsed.output.found;
  }
  return undefined;
}

/** An upload becomes stale by itself. */
function isLasting({ kind }: Finding): boolean {
  return kind !== "upload";
}
