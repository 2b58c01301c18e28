import type { Finding } from "../../contract/finding.ts";
import { ProgramError } from "../cli/errors.ts";
import type { Terminal } from "../cli/terminal.ts";
import { sortFindings } from "../graph/findings.ts";
import type { Digest } from "../registry/digest.ts";
import { describeFindings } from "../report/describe-finding.ts";
import { requireRepositories, scanAll, scanOptions } from "../scan/main.ts";
import type { Unreadable } from "../source/source.ts";
import type { RepairArguments } from "./args.ts";
import type { DamagedRepository } from "./facts.ts";
import { createHoldings, type Holdings } from "./holdings.ts";
import { localOrigin } from "./origins/local.ts";
import type { Origin } from "./origins/origin.ts";
import { readDamaged, type Store } from "./read-repository.ts";
import type { Stores } from "./stores.ts";

/** How a repair looks for damage. */
export type Look = Pick<RepairArguments, "repositories" | "verify" | "bandwidthLimit">;

/** What was found, and what is known about what lies around it. */
export interface Survey {
  readonly findings: readonly Finding[];
  readonly damaged: readonly DamagedRepository[];
  /** What could not be looked at, each once. */
  readonly problems: readonly string[];
  /** Per registry. */
  readonly holdings: ReadonlyMap<string, Holdings>;
  readonly origins: readonly Origin[];
}

/**
 * Scans, then reads again, and hashes, what has to do with the findings.
 *
 * Errors: E_REGISTRY_UNREACHABLE when a registry to fetch from cannot be asked: a plan without it would promise less
 * than there is.
 */
export async function survey(
  stores: Stores,
  look: Look,
  remotes: readonly Origin[],
  terminal: Terminal,
): Promise<Survey> {
  const all = [...stores.repaired, ...stores.others];
  const locals = all.map(({ name, dataDirectory }) => localOrigin(name, dataDirectory));
  const holdings = new Map(all.map(({ name, dataDirectory }) => [name, createHoldings(dataDirectory)]));
  const found = await findDamage(stores.repaired, look, terminal);
  const damaged: DamagedRepository[] = [];
  const problems = new Set(stores.problems);
  const tell = ({ location, reason }: Unreadable) =>
    void problems.add(`${location} could not be read (${reason}).`);
  for (const { cause, message } of found) if (cause === "unreadable") problems.add(message);
  for (const store of stores.repaired) {
    const own = found.filter(({ registry }) => registry === store.name);
    const origins = [...locals.filter(({ label }) => label !== store.name), ...remotes];
    const altered = new Set(
      own.flatMap(({ cause, digest }) => (cause === "digest-mismatch" ? [digest] : [])),
    );
    const isSuspect = (digest: Digest) => altered.has(digest);
    const shared = { holdings: holdingsOf(holdings, store.name), origins, isSuspect, onFault };
    for (const repository of repositoriesOf(own))
      damaged.push(await readDamaged(store, repository, shared, tell));
  }
  return {
    findings: found,
    damaged,
    problems: [...problems],
    holdings,
    origins: [...locals, ...remotes],
  };
}

export function holdingsOf(all: ReadonlyMap<string, Holdings>, registry: string): Holdings {
  const holdings = all.get(registry);
  if (!holdings) throw new TypeError(`no registry ${registry}`);
  return holdings;
}

function onFault({ label }: Origin, { location, reason, kind }: Unreadable): void {
  const code = kind === undefined ? "E_STORE_UNREADABLE" : "E_REGISTRY_UNREACHABLE";
  const next =
    kind === "unauthorised"
      ? " Check FROM_USER and FROM_PASS, or docker's config.json."
      : " Repair it first, or leave it out.";
  throw new ProgramError(
    code,
    `Cannot ask ${label} what it has: ${location} ${reason}. Nothing was changed.${next}`,
  );
}

/** What a scan finds in the registries, in the repositories that were asked for. Errors: E_STORE_NOT_FOUND. */
export async function findDamage(
  stores: readonly Store[],
  look: Look,
  terminal: Terminal,
): Promise<readonly Finding[]> {
  const choice = { sources: stores.map(({ source }) => source), modeOf: () => "authoritative" as const };
  const results = await scanAll(choice, scanOptions(look), terminal);
  requireRepositories(look.repositories, results);
  return describeFindings(sortFindings(results.flatMap(({ findings }) => findings)), "store");
}

/** Only what the scan complains about is read again: of a large store a few repositories. */
function repositoriesOf(findings: readonly Finding[]): readonly string[] {
  const names = findings.flatMap(({ repository }) => (repository === null ? [] : [repository]));
  return [...new Set(names)].sort();
}
