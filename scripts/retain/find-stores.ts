import { ProgramError } from "../cli/errors.ts";
import { type DiskSource, discoverRegistries } from "../source/disk/registry.ts";
import type { Unreadable } from "../source/source.ts";
import { chooseRegistries } from "../store-check/choose-registries.ts";
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
  const { sources, modeOf, unreadable } = chooseRegistries(discovery, options);
  const isOwn = ({ name }: DiskSource) => modeOf(name) === "authoritative";
  const caches = sources.filter((source) => !isOwn(source)).map(({ name }) => name);
  if (sources.every((source) => !isOwn(source)) || (options.registries.length > 0 && caches.length > 0))
    throw new ProgramError(
      "E_CONFIGURATION",
      `A pull-through cache drops by itself what it fetched, and has no tags to retain: ${caches.join(", ")}. Name one that is none: --authoritative NAME`,
    );
  return {
    sources: sources.filter(isOwn),
    dataDirectoryOf: (registry) => discovery.sources.find(({ name }) => name === registry)?.dataDirectory,
    unreadable,
  };
}
