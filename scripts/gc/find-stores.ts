import { type DiskSource, discoverRegistries } from "../source/disk/registry.ts";
import { chooseRegistries, requireAuthoritative } from "../store-check/choose-registries.ts";
import type { GcArguments } from "./args.ts";

/** The stores of a run. */
export interface Stores {
  /** Authoritative registries that were asked for. */
  readonly collected: readonly DiskSource[];
  /** All registries of the data root, caches included. */
  readonly all: readonly DiskSource[];
  /** Directories of which it is unknown whether they are registries: a sentence each. */
  readonly unreadable: readonly string[];
}

type Asked = Pick<GcArguments, "directory" | "registries" | "authoritative" | "caches">;

/** Errors: E_STORE_NOT_FOUND also for an unknown name; E_CONFIGURATION for a cache that was asked for, or nothing but caches. */
export async function findStores(options: Asked): Promise<Stores> {
  const discovery = await discoverRegistries(options.directory);
  const choice = chooseRegistries(discovery, options);
  const { unreadable } = choice;
  return {
    collected: requireAuthoritative(choice, options),
    all: discovery.sources,
    unreadable: unreadable.map(({ fault: { location, reason } }) => `Cannot read ${location}: ${reason}.`),
  };
}
