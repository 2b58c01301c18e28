import type { GcLedger } from "../../contract/gc-report.ts";
import { describeError, systemCode } from "../cli/errors.ts";
import type { DiskSource } from "../source/disk/registry.ts";
import type { Effects } from "../store-change/effects.ts";
import type { LedgerHead } from "./ledger.ts";
import { ledgerHead, ledgerPath } from "./ledger-place.ts";
import type { MarkOptions, RegistryMark } from "./mark.ts";
import { markRegistry, nextMillisecond } from "./mark-registry.ts";
import { type LedgerState, readLedger } from "./read-ledger.ts";
import { writeLedger } from "./write-ledger.ts";

export interface LedgerOptions {
  /** The directory that the program was given. */
  readonly directory: string;
  /** Undefined: no ledger is read or written. */
  readonly effects: Effects | undefined;
}

/** A mark, and what its ledger came to. */
export interface LedgerMark {
  readonly mark: RegistryMark;
  readonly ledger: GcLedger;
  /** By how much the clock was set forth since the last mark; the grace was longer by that. */
  readonly setForthMs: number;
  /** Why the ledger could not be written although it should: a sentence; null otherwise. */
  readonly fault: string | null;
}

/** Where programs may only read, a plan is made all the same. */
const readOnlyCodes: ReadonlySet<string | undefined> = new Set(["EROFS", "EACCES", "EPERM"]);

/**
 * Marks a registry by what its ledger says of earlier marks, and puts this mark into the ledger.
 *
 * Errors: as of {@link markRegistry}; those of the file system when the store's directory is gone.
 */
export async function markWithLedger(
  source: DiskSource,
  options: MarkOptions,
  { directory, effects }: LedgerOptions,
): Promise<LedgerMark> {
  const head = await ledgerHead(source, options.shard, await nextMillisecond());
  const path = ledgerPath(directory, source.name, options.shard);
  const former = effects ? await readLedger(path, head, head) : undefined;
  const ages = former?.state === "read" ? former.ages : undefined;
  const setForthMs = former?.state === "read" ? former.setForthMs : 0;
  const graceMs = options.graceMs + setForthMs;
  const mark = await markRegistry(source, { ...options, graceMs, startedAt: head.markedAt, ages });
  if (!effects) {
    const text =
      options.deadForMs === 0
        ? null
        : "No ledger is used (--no-ledger), so nothing is dead without --dead-for 0s.";
    return { mark, ledger: describe(former, mark, text, false), setForthMs, fault: null };
  }
  const failure = await tryWrite(path, head, mark, effects);
  const isReadOnly = failure !== undefined && readOnlyCodes.has(systemCode(failure));
  const text =
    failure === undefined ? null : `The ledger ${path} was not written: ${describeError(failure)}.`;
  const ledger = describe(former, mark, text, text === null);
  return { mark, ledger, setForthMs, fault: isReadOnly ? null : text };
}

async function tryWrite(
  path: string,
  head: LedgerHead,
  mark: RegistryMark,
  effects: Effects,
): Promise<unknown> {
  try {
    await writeLedger(path, head, mark.unreached, effects);
    return undefined;
  } catch (error) {
    // Of a fault of this program, nothing is to be hidden.
    if (systemCode(error) === undefined) throw error;
    return error;
  }
}

function describe(
  former: LedgerState | undefined,
  { unreached }: RegistryMark,
  fault: string | null,
  written: boolean,
): GcLedger {
  const whyNone = former?.state === "unusable" ? `The ledger ${former.why}.` : null;
  const why = [whyNone, fault].filter((text) => text !== null).join(" ");
  return {
    state: former === undefined ? "none" : former.state === "read" ? "read" : "begun",
    why: why === "" ? null : why,
    lastMarkAt: former?.state === "read" ? new Date(former.lastMarkAt).toISOString() : null,
    entries: unreached.length,
    written,
  };
}
