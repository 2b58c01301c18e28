import { ProgramError } from "../cli/errors.ts";
import { type DiskSource, discoverRegistries } from "../source/disk/registry.ts";
import { chooseRegistries } from "../store-check/choose-registries.ts";
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

/** Errors: E_STORE_NOT_FOUND also for an unknown name; E_CONFIGURATION when there are only caches. */
export async function findStores(options: Asked): Promise<Stores> {
  const discovery = await discoverRegistries(options.directory);
  const { sources, modeOf, unreadable } = chooseRegistries(discovery, options);
  const collected = sources.filter(({ name }) => modeOf(name) === "authoritative");
  if (collected.length === 0)
    throw new ProgramError(
      "E_CONFIGURATION",
      `All registries here are caches, which drop by themselves what they do not need: ${sources.map(({ name }) => name).join(", ")}. Name the one that is none: --authoritative NAME`,
    );
  return {
    collected,
    all: discovery.sources,
    unreadable: unreadable.map(({ fault: { location, reason } }) => `Cannot read ${location}: ${reason}.`),
  };
}
