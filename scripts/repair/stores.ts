import { ProgramError } from "../cli/errors.ts";
import { type DiskSource, discoverRegistries } from "../source/disk/registry.ts";
import type { Unreadable } from "../source/source.ts";
import { chooseRegistries } from "../store-check/choose-registries.ts";
import type { RepairArguments } from "./args.ts";

/** One registry's store on this machine. */
export interface Store {
  readonly name: string;
  readonly dataDirectory: string;
  readonly source: DiskSource;
}

export interface Stores {
  /** Authoritative registries that were asked for: what is repaired. */
  readonly repaired: readonly Store[];
  /** All others of the data root, from which blobs can be copied. */
  readonly others: readonly Store[];
  /** Directories of which it is unknown whether they are registries. */
  readonly unreadable: readonly Unreadable[];
}

/** Errors: E_STORE_NOT_FOUND also for a name that is none of the registries'; E_CONFIGURATION when all are caches. */
export async function findStores(options: RepairArguments): Promise<Stores> {
  const { directory } = options;
  const discovery = await discoverRegistries(directory);
  const { sources, modeOf, unreadable } = chooseRegistries(discovery, options);
  const toStore = (source: DiskSource): Store => ({
    name: source.name,
    dataDirectory: source.dataDirectory,
    source,
  });
  const repaired = sources.filter(({ name }) => modeOf(name) === "authoritative");
  const names = discovery.sources.map(({ name }) => name).join(", ");
  if (repaired.length === 0)
    throw new ProgramError(
      "E_CONFIGURATION",
      `All registries here are caches, which fetch again what they lack: ${names}. Name the one that is none: --authoritative NAME`,
    );
  return {
    repaired: repaired.map(toStore),
    others: discovery.sources.filter((source) => !repaired.includes(source)).map(toStore),
    unreadable: unreadable.map(({ fault }) => fault),
  };
}
