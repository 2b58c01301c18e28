import type { GcRegistry, GcRemoved, GcReport } from "../../contract/gc-report.ts";
import { counted, warningOf } from "../report/phrases.ts";
import { renderTable } from "../report/table.ts";

/** Repositories and damages that a person reads; the document has all. */
const shownAtMost = 20;

/** The report as people read it: what goes, registry by registry, what stays and why, and what to type. */
export function renderReport(report: GcReport, directory: string): string {
  const registries = report.registries.map((registry) => renderRegistry(registry, report.applied)).join("");
  return `${renderOverview(report)}\n${registries}${renderProof(report)}${renderConclusion(report, directory)}`;
}

function renderOverview({ registries, run }: GcReport): string {
  const head = [
    "REGISTRY",
    "KEPT",
    run === null ? "TO REMOVE" : "REMOVED",
    "LINKS",
    "BLOBS",
    "YOUNG",
    "TOUCHED",
    "NOT DEAD LONG ENOUGH",
    "DAMAGE",
  ];
  const rows = registries.map((registry) => {
    const { name, kept, spared, damage } = registry;
    const { revisionLinks, layerLinks, blobs, bytes } = shownOf(registry, run);
    const counts = [
      revisionLinks + layerLinks,
      blobs,
      spared.young,
      spared.touched,
      spared.notDeadLongEnough,
      damage.length,
    ];
    return [name, formatBytes(kept.bytes), formatBytes(bytes), ...counts.map(String)];
  });
  return renderTable(head, rows, new Set([1, 2, 3, 4, 5, 6, 7, 8]));
}

const nothing = { revisionLinks: 0, layerLinks: 0, blobs: 0, bytes: 0 };

/** What was removed; of a run that removed nothing, what would be. */
function shownOf({ refusedFor, removed }: GcRegistry, run: string | null): GcRemoved {
  return run !== null && refusedFor === "budget" ? nothing : removed;
}

function renderRegistry(registry: GcRegistry, isApplied: boolean): string {
  const { name, refused, ledger, spared } = registry;
  const isWaiting = ledger.state === "begun" && !isApplied && spared.notDeadLongEnough > 0;
  const lines = [
    ...(refused === null ? [] : [`${name}: ${refused}\n`]),
    ...renderDamage(registry),
    ...(ledger.why === null ? [] : [`${name}: ${ledger.why}\n`]),
    ...(isWaiting ? [`${name}: What is unreached now is dead when a later mark still finds it so.\n`] : []),
  ];
  return `${renderRepositories(registry)}${lines.join("")}${lines.length > 0 ? "\n" : ""}`;
}

function renderRepositories({ name, repositories }: GcRegistry): string {
  if (repositories.length === 0) return "";
  const shown = repositories.slice(0, shownAtMost);
  const rows = shown.map((one) => [
    `${name}/${one.name}`,
    ...[one.revisionLinks, one.layerLinks, one.spared].map(String),
  ]);
  const more = repositories.length - shown.length;
  const rest = more > 0 ? `and ${counted(more, "more repository", "more repositories")}\n` : "";
  return `${renderTable(["REPOSITORY", "MANIFESTS", "LAYERS", "SPARED"], rows, new Set([1, 2, 3]))}${rest}\n`;
}

function renderDamage({ name, damage }: GcRegistry): readonly string[] {
  const shown = damage.slice(0, shownAtMost).map(({ repository, place, reason, keeps }) => {
    const where = repository === null ? name : `${name}/${repository}`;
    return `${where}: ${place} ${reason}. ${kept[keeps]}\n`;
  });
  const more = damage.length - shown.length;
  return more > 0 ? [...shown, `and ${counted(more, "more damage")}\n`] : shown;
}

const kept = {
  link: "The link and what it is named by are kept.",
  repository: "All that the repository links is kept.",
  blobs: "All that the repository links is kept, and all blobs of the registry.",
} as const;

function renderProof({ proof }: GcReport): string {
  if (proof === null) return "";
  if (proof.lost.length === 0) return `Proof: ${counted(proof.tags, "tag")} complete before and after.\n`;
  return `Proof failed: ${proof.lost.join(", ")} was complete before and was not afterwards.\n`;
}

function renderConclusion(
  { registries, applied, complete, run, freezeSeconds, freezeTries }: GcReport,
  directory: string,
): string {
  const removed = registries.map((registry) => shownOf(registry, run));
  const bytes = removed.reduce((sum, one) => sum + one.bytes, 0);
  const things = removed.reduce((sum, one) => sum + thingsOf(one), 0);
  const warning = warningOf(complete);
  if (things === 0) return `${warning}${describeNothing(registries)}\n`;
  if (run === null) {
    const isRefused = registries.some(({ refusedFor }) => refusedFor === "budget");
    const frees = `${warning}${counted(things, "thing")} would go, which frees ${formatBytes(bytes)} once purged.`;
    const hint =
      isRefused || applied ? "" : " Nothing was removed. To do this, the same command with --apply.";
    return `${frees}${hint}\n`;
  }
  const tries = freezeTries === null || freezeTries === 1 ? "" : ` at try ${freezeTries}`;
  const held = freezeSeconds === null ? "" : ` Writes were held for ${freezeSeconds.toFixed(1)} s${tries}.`;
  return `${warning}${counted(things, "thing")} moved into the quarantine, ${formatBytes(bytes)}.${held} To undo: regwarden gc ${directory} --undo ${run} --apply\n`;
}

function describeNothing(registries: readonly GcRegistry[]): string {
  const waiting = registries.reduce((sum, { spared }) => sum + spared.notDeadLongEnough, 0);
  if (waiting === 0) return "Nothing to remove.";
  const [have, are] = waiting === 1 ? ["has", "is"] : ["have", "are"];
  return `Nothing to remove yet: ${counted(waiting, "thing")} that no tag needs ${have} not been dead for long enough, and ${are} checked again by the next mark.`;
}

function thingsOf({ revisionLinks, layerLinks, blobs }: GcRegistry["removed"]): number {
  return revisionLinks + layerLinks + blobs;
}

/** `0 B`, `1.2 GB`: as disks are sold. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit += 1) value /= 1000;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
