import type { RegistryMode } from "../../contract/finding.ts";
import { ProgramError } from "../cli/errors.ts";
import type { Discovery } from "../source/disk/registry.ts";

/** What is checked, and by which rules. */
export interface Choice {
  readonly sources: Discovery["sources"];
  readonly unreadable: Discovery["unreadable"];
  readonly modeOf: (name: string) => RegistryMode;
}

/** Names of registries. */
export interface Asked {
  readonly authoritative: readonly string[];
  readonly caches: readonly string[];
  /** Empty: all. */
  readonly registries: readonly string[];
}

/**
 * The registries that were asked for, out of those that were found. One is authoritative unless it is a cache, by the
 * file that it keeps or by name.
 *
 * Errors: E_STORE_NOT_FOUND for a name that no store has, E_USAGE for one that is said to be both.
 */
export function chooseRegistries(discovery: Discovery, asked: Asked): Choice {
  const { sources, unreadable, empty } = discovery;
  const names = sources.map(({ name }) => name);
  const known = new Set([...names, ...unreadable.map(({ name }) => name)]);
  requireKnown("--authoritative", asked.authoritative, known, names);
  requireKnown("--cache", asked.caches, new Set([...known, ...empty]), names);
  requireKnown("--registry", asked.registries, known, names);
  const both = asked.caches.filter((name) => asked.authoritative.includes(name));
  if (both.length > 0)
    throw new ProgramError("E_USAGE", `--authoritative and --cache both name ${both.join(", ")}.`);
  const caches = new Set([...discovery.caches, ...asked.caches]);
  for (const name of asked.authoritative) caches.delete(name);
  const isAsked = ({ name }: { readonly name: string }) =>
    asked.registries.length === 0 || asked.registries.includes(name);
  return {
    sources: sources.filter(isAsked),
    unreadable: unreadable.filter(isAsked),
    modeOf: (name) => (caches.has(name) ? "cache" : "authoritative"),
  };
}

/**
 * The authoritative ones of a choice, for what never changes a cache.
 *
 * Errors: E_CONFIGURATION for a cache that was asked for by name, and where there are only caches.
 */
export function requireAuthoritative({ sources, modeOf }: Choice, asked: Asked): Choice["sources"] {
  const own = sources.filter(({ name }) => modeOf(name) === "authoritative");
  const caches = sources.filter((source) => !own.includes(source)).map(({ name }) => name);
  if (caches.length === 0 || (own.length > 0 && asked.registries.length === 0)) return own;
  const are = caches.length === 1 ? "is a pull-through cache" : "are pull-through caches";
  throw new ProgramError(
    "E_CONFIGURATION",
    `${caches.join(", ")} ${are}: what is fetched there is dropped there, by its own time. Name one that is none: --authoritative NAME`,
  );
}

function requireKnown(
  option: string,
  asked: readonly string[],
  known: ReadonlySet<string>,
  found: readonly string[],
): void {
  const unknown = asked.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  // Rather a store that is gone than a mistyped name: the timer names its registries.
  throw new ProgramError(
    "E_STORE_NOT_FOUND",
    `${option} ${unknown.join(", ")}: there is no such store here; found ${found.join(", ")}.`,
  );
}
