import type { Finding } from "../../contract/finding.ts";
import type { Terminal } from "../cli/terminal.ts";
import { sortFindings } from "../graph/findings.ts";
import { describeFindings } from "../report/describe-finding.ts";
import { paceOf } from "../source/pace.ts";
import type { Unreadable } from "../source/source.ts";
import { createVerifiedBlobs, type VerifiedBlobs } from "../source/verified-blobs.ts";
import { requireRepositories, scanAll, scanOptions } from "../store-check/check-stores.ts";
import type { RepairArguments } from "./args.ts";
import type { CopiesFound } from "./copies-found.ts";
import { type CopySource, storeCopySource } from "./copy-source.ts";
import type { DamagedRepository } from "./damaged-repository.ts";
import { createCopySearch } from "./find-copies.ts";
import { readDamaged } from "./read-damaged.ts";
import type { Store, Stores } from "./stores.ts";
import { suspicionsOf } from "./suspicions.ts";

/** What a repair scans, and which blobs it hashes. */
export type ScanScope = Pick<RepairArguments, "repositories" | "verify" | "bandwidthLimit">;

/** What was found, and what a plan and its changes are made with. */
export interface Survey {
  readonly findings: readonly Finding[];
  readonly damaged: readonly DamagedRepository[];
  /** By registry. */
  readonly copies: ReadonlyMap<string, CopiesFound>;
  /** What could not be checked, each once. */
  readonly problems: readonly string[];
  /** By registry. */
  readonly verified: ReadonlyMap<string, VerifiedBlobs>;
  readonly sources: readonly CopySource[];
}

/**
 * Scans, then reads the repositories again in which a repair can change something, and finds copies.
 *
 * Errors: E_REGISTRY_UNREACHABLE when a registry to copy from cannot be asked.
 */
export async function survey(
  stores: Stores,
  scope: ScanScope,
  remotes: readonly CopySource[],
  terminal: Terminal,
): Promise<Survey> {
  const findings = await findDamage(stores.repaired, scope, terminal);
  const pace = paceOf(scope.bandwidthLimit);
  const all = [...stores.repaired, ...stores.others];
  const verifiers = all.map(({ source }) => ({ source, verified: createVerifiedBlobs(source, pace) }));
  const sources = [...verifiers.map(({ source, verified }) => storeCopySource(source, verified)), ...remotes];
  const verified = new Map(verifiers.map((one) => [one.source.name, one.verified]));
  const unread = new Map<string, Unreadable>();
  const damaged: DamagedRepository[] = [];
  const copies = new Map<string, CopiesFound>();
  for (const { source } of stores.repaired) {
    const search = createCopySearch(sources.filter(({ label }) => label !== source.name));
    copies.set(source.name, search.found);
    const reads = {
      source,
      verified: verifiedOf(verified, source.name),
      copies: search,
      onUnreadable: (fault: Unreadable) => void unread.set(fault.location, fault),
    };
    const own = findings.filter(({ registry }) => registry === source.name);
    for (const suspicion of suspicionsOf(own)) damaged.push(await readDamaged(reads, suspicion));
  }
  const problems = describeProblems(findings, [...stores.unreadable, ...unread.values()]);
  return { findings, damaged, copies, problems, verified, sources };
}

export function verifiedOf(all: ReadonlyMap<string, VerifiedBlobs>, registry: string): VerifiedBlobs {
  const verified = all.get(registry);
  if (!verified) throw new TypeError(`no registry ${registry}`);
  return verified;
}

function describeProblems(findings: readonly Finding[], unread: readonly Unreadable[]): readonly string[] {
  const found = findings.filter(({ cause }) => cause === "unreadable");
  const reported = new Set(found.map(({ place }) => place));
  const others = unread.filter(({ location }) => !reported.has(location));
  return [
    ...new Set([
      ...others.map(({ location, reason }) => `${location} could not be read (${reason}).`),
      ...found.map(({ message }) => message),
    ]),
  ];
}

/** What a scan finds in the registries, in the repositories that were asked for. Errors: E_STORE_NOT_FOUND. */
export async function findDamage(
  stores: readonly Store[],
  scope: ScanScope,
  terminal: Terminal,
): Promise<readonly Finding[]> {
  const choice = { sources: stores.map(({ source }) => source), modeOf: () => "authoritative" as const };
  const results = await scanAll(choice, scanOptions(scope), terminal);
  requireRepositories(scope.repositories, results);
  return describeFindings(sortFindings(results.flatMap(({ findings }) => findings)), "store");
}
