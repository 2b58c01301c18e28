import { type DiskSource, discoverRegistries } from "../source/disk/registry.ts";
import type { Unreadable } from "../source/source.ts";
import { chooseRegistries, requireAuthoritative } from "../store-check/choose-registries.ts";
import type { PlanArguments } from "./args.ts";

export interface Stores {
  /** Whose tags are decided about: authoritative registries that were asked for. */
  readonly sources: readonly DiskSource[];
  /** All of DIR, by name: one may hold the list of images in use. */
  readonly dataDirectoryOf: (registry: string) => string | undefined;
  /** Directories of which it is unknown whether they are registries. */
  readonly unreadable: readonly { readonly name: string; readonly fault: Unreadable }[];
}

/** Errors: E_STORE_NOT_FOUND, E_STORE_UNREADABLE; E_CONFIGURATION for a cache that was asked for, or nothing but caches. */
export async function findStores(options: PlanArguments): Promise<Stores> {
  const discovery = await discoverRegistries(options.directory);
  const choice = chooseRegistries(discovery, options);
  return {
    sources: requireAuthoritative(choice, options),
    dataDirectoryOf: (registry) => discovery.sources.find(({ name }) => name === registry)?.dataDirectory,
    unreadable: choice.unreadable,
  };
}
