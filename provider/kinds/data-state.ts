import * as v from "valibot";
import { dataMarker, dataRecordDirectory } from "../../contract/host-paths.ts";
import { HostError } from "../errors.ts";
import { type DataDirectory, type DataFacts, dataFacts } from "../remote/data-directory.ts";
import type { SshHost } from "../ssh/host.ts";
import { absolutePath } from "./kind.ts";

/** What is declared of a data directory beside its path. */
export const dataSchema = v.strictObject({
  name: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]*$/, "must be small letters, digits and dashes")),
  mount: v.optional(absolutePath),
  container: v.optional(v.string()),
  target: v.optional(absolutePath),
});

/** How a data directory was found. In place with the id that it has; new ones have none yet. */
export type DataState =
  | { readonly kind: "in place"; readonly id: string | undefined }
  | { readonly kind: "new" }
  | { readonly kind: "wrong"; readonly found: string; readonly why: string };

/** What is known of a data directory from the state; undefined where the state knows of none. */
export interface KnownData {
  /** Undefined where it was recorded before directories had ids. */
  readonly id: string | undefined;
}

/**
 * Whether a data directory may be served: it is the one that was served before, or there was none before.
 *
 * Known is one that the state, a record on the host or a container speaks of. A known one must be there with the id
 * that it had. Without an id, from before there were any, it must at least hold something. An empty marker is the
 * operator's word that the directory is the right one.
 */
export function dataState(data: DataDirectory, facts: DataFacts, inState: KnownData | undefined): DataState {
  const { entry, isEmpty, marker, record, served } = facts;
  if (!facts.isMounted) return wrong("not mounted", `${data.mount} is no mount point`);
  if (entry === "link")
    return wrong(
      "a symbolic link",
      `${data.path} is a symbolic link; mount what it points to there (mount --bind)`,
    );
  if (entry === "other") return wrong("no directory", `${data.path} is no directory`);
  if (marker === "") return { kind: "in place", id: undefined };
  const isKnown = inState !== undefined || record !== undefined || served !== undefined;
  if (!isKnown) return entry === "gone" ? { kind: "new" } : { kind: "in place", id: marker };
  const elsewhere = record?.path ?? served ?? data.path;
  const id = record?.id ?? inState?.id;
  if (id !== undefined && marker === id)
    return facts.isStillThere ? twice(data, facts) : { kind: "in place", id };
  if (elsewhere !== data.path) return moved(data, elsewhere);
  if (entry === "gone") return wrong("gone", `${data.path} is gone`);
  if (id !== undefined && marker !== undefined)
    return wrong("another data directory", `${data.path} is another one (id ${marker}, expected ${id})`);
  if (id !== undefined)
    return wrong("another directory", `${data.path} has no ${dataMarker} (expected ${id})`);
  return isEmpty ? wrong("empty", `${data.path} is empty`) : { kind: "in place", id: marker };
}

/** Errors: E_DATA for a data directory that must not be served. */
export function assertServable(host: string, data: DataDirectory, state: DataState): void {
  if (state.kind !== "wrong") return;
  const byHand = `mkdir -p ${data.path} && : >${data.path}/${dataMarker}`;
  throw new HostError(
    "E_DATA",
    `${host}: the data of ${data.name} is not where it was: ${state.why}. Nothing was created. ` +
      `Mount, restore or move the data back to ${data.path}, or put host.directory and host.dataMount back, then run again. ` +
      `What was recorded stands in ${dataRecordDirectory}/${data.name}. ` +
      `To serve what is at ${data.path} all the same, also when that is nothing, give your word on the host: ${byHand}`,
  );
}

/** Errors: E_DATA unless each is there as it was recorded: a container would start with an empty one in its place. */
export async function assertInPlace(host: SshHost, directories: readonly DataDirectory[]): Promise<void> {
  for (const data of directories) {
    const state = dataState(data, await dataFacts(host, data), { id: undefined });
    assertServable(host.name, data, state);
  }
}

function wrong(found: string, why: string): DataState {
  return { kind: "wrong", found, why };
}

function moved(data: DataDirectory, elsewhere: string): DataState {
  return wrong(
    `in ${elsewhere}`,
    `it is in ${elsewhere}, and no data is moved by itself; to move it, stop the containers and type: mv ${elsewhere} ${data.path}`,
  );
}

function twice(data: DataDirectory, { record }: DataFacts): DataState {
  return wrong(
    "in two directories",
    `${data.path} and ${record?.path} have the same id: one is a copy; rename the one that is not to be served`,
  );
}
