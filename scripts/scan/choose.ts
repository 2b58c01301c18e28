import type { RegistryMode } from "../../contract/finding.ts";
import { ProgramError } from "../cli/errors.ts";
import type { Discovery } from "../source/disk/registry.ts";

/** What is looked at, and how it is judged. */
export interface Choice {
  readonly sources: Discovery["sources"];
  readonly unreadable: Discovery["unreadable"];
  readonly modeOf: (name: string) => RegistryMode;
}

/**
 * The registries that were asked for, out of those that were found.
 *
 * Errors: E_STORE_NOT_FOUND for a name that no store has.
 */
export function chooseRegistries(
  { form, sources, unreadable }: Discovery,
  asked: { readonly authoritative: readonly string[]; readonly registries: readonly string[] },
): Choice {
  const names = sources.map(({ name }) => name);
  const known = new Set([...names, ...unreadable.map(({ name }) => name)]);
  requireKnown("--authoritative", asked.authoritative, known, names);
  requireKnown("--registry", asked.registries, known, names);
  const usual = form === "store" ? names : names.filter((name) => name === "private");
  const authoritative = new Set(asked.authoritative.length > 0 ? asked.authoritative : usual);
  const isAsked = ({ name }: { readonly name: string }) =>
    asked.registries.length === 0 || asked.registries.includes(name);
  return {
    sources: sources.filter(isAsked),
    unreadable: unreadable.filter(isAsked),
    modeOf: (name) => (authoritative.has(name) ? "authoritative" : "cache"),
  };
}

function requireKnown(
  option: string,
  asked: readonly string[],
  known: ReadonlySet<string>,
  found: readonly string[],
): void {
  const unknown = asked.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  // Rather a store that is gone than a slip of the pen: the timers name their registries.
  throw new ProgramError(
    "E_STORE_NOT_FOUND",
    `${option} ${unknown.join(", ")}: there is no such store here; found ${found.join(", ")}.`,
  );
}
