import type { GcRegistry, GcReport } from "../../contract/gc-report.ts";
import type { RetainReport } from "../../contract/retain-report.ts";
import type { Observation } from "../demonstration/step.ts";
import { type ScanSummary, scanLine } from "../stack/scan.ts";
import { differencesOf, type StoreTree } from "./store-tree.ts";
import type { Turns } from "./traffic.ts";

/** The store before the maintenance, and after it. */
interface Trees {
  readonly before: StoreTree;
  readonly after: StoreTree;
}

export function observe(text: string, isExpected: boolean): Observation {
  return { text, isExpected };
}

export function observeScan(summary: ScanSummary, former: ScanSummary | undefined): Observation {
  const isClean = summary.complete && summary.critical === 0 && summary.warnings <= (former?.warnings ?? 0);
  return observe(`scan: ${scanLine(summary)}`, isClean);
}

export function observeTurns(what: string, { done, failures }: Turns): Observation {
  const text = `${what} meanwhile: ${done}, failed: ${failures.length}`;
  return observe([text, ...failures.slice(0, 3)].join("\n"), done > 0 && failures.length === 0);
}

const heldFor = (seconds: number | null) =>
  observe(`writes held for ${seconds?.toFixed(2)} s`, seconds !== null && seconds <= 5);

export function observeRetain({ registries, refused, freezeSeconds }: RetainReport): readonly Observation[] {
  const sum = (count: "kept" | "moved" | "dropped") => registries.reduce((all, one) => all + one[count], 0);
  const why = refused.map(({ text }) => text);
  const text = `retain: ${sum("moved")} tags removed, ${sum("kept")} kept`;
  const isDone = sum("moved") > 0 && sum("moved") === sum("dropped");
  return [observe([text, ...why].join("\n"), isDone), heldFor(freezeSeconds)];
}

const kilobytes = (bytes: number) => `${Math.round(bytes / 1000)} kB`;

function observeRemoved({ removed, kept, refused }: GcRegistry): Observation {
  const links = removed.revisionLinks + removed.layerLinks;
  const counts = `${links} links and ${removed.blobs} blobs moved into the quarantine`;
  const text = `gc: ${counts}, ${kilobytes(removed.bytes)}; ${kilobytes(kept.bytes)} are needed`;
  return observe(refused === null ? text : `${text}\n${refused}`, refused === null && removed.bytes > 0);
}

export function observeCollect({ registries, freezeSeconds, proof }: GcReport): readonly Observation[] {
  const lost = proof?.lost ?? [];
  const proven = `proof: ${proof?.tags ?? 0} tags complete before and after, ${lost.length} lost`;
  return [
    ...registries.map(observeRemoved),
    heldFor(freezeSeconds),
    observe(proven, proof !== null && lost.length === 0),
  ];
}

/** The store has what it had before the maintenance, and what clients pushed since; nothing else. */
export function observeTree({ before, after }: Trees, now: StoreTree): Observation {
  const differences = differencesOf(new Map([...before, ...after]), now);
  const same = [...before].filter(([path, content]) => now.get(path) === content).length;
  const text =
    `${same} of ${before.size} files are as before by path, size and sha256, ` +
    `${before.size - same} were pushed anew, ${now.size - before.size} are new; different: ${differences.length}`;
  return observe([text, ...differences.slice(0, 3)].join("\n"), differences.length === 0 && same > 0);
}
