import type { GcRegistry, GcReport } from "../../contract/gc-report.ts";
import { counted, warningOf } from "../report/phrases.ts";
import { renderTable } from "../report/table.ts";

/** Repositories and damages that a person reads; the document has all. */
const shownAtMost = 20;

/** The report as people read it: what goes, registry by registry, what stays and why, and what to type. */
export function renderReport(report: GcReport): string {
  const registries = report.registries.map((registry) => renderRegistry(registry, report.applied)).join("");
  return `${renderOverview(report)}\n${registries}${renderProof(report)}${renderConclusion(report)}`;
}

function renderOverview({ registries, applied }: GcReport): string {
  const head = [
    "REGISTRY",
    "KEPT",
    applied ? "REMOVED" : "TO REMOVE",
    "LINKS",
    "BLOBS",
    "YOUNG",
    "TOUCHED",
    "NOT DEAD LONG ENOUGH",
    "DAMAGE",
  ];
  const rows = registries.map(({ name, kept, removed, spared, damage }) => [
    name,
    formatBytes(kept.bytes),
    formatBytes(removed.bytes),
    ...[
      removed.revisionLinks + removed.layerLinks,
      removed.blobs,
      spared.young,
      spared.touched,
      spared.notDeadLongEnough,
      damage.length,
    ].map(String),
  ]);
  return renderTable(head, rows, new Set([1, 2, 3, 4, 5, 6, 7, 8]));
}

function renderRegistry(registry: GcRegistry, isApplied: boolean): string {
  const { name, refused, ledger } = registry;
  const lines = [
    ...(refused === null ? [] : [`${name}: ${refused}\n`]),
    ...renderDamage(registry),
    ...(ledger.why === null ? [] : [`${name}: ${ledger.why}\n`]),
    ...(ledger.state === "begun" && !isApplied
      ? [`${name}: what is unreached now is dead when a later mark still finds it so.\n`]
      : []),
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

function renderConclusion({ registries, applied, complete, run, freezeSeconds }: GcReport): string {
  const bytes = registries.reduce((sum, { removed }) => sum + removed.bytes, 0);
  const things = registries.reduce((sum, { removed }) => sum + thingsOf(removed), 0);
  const warning = warningOf(complete);
  if (things === 0) return `${warning}Nothing to remove.\n`;
  const isRefused = registries.some(({ refusedFor }) => refusedFor === "budget");
  if (!applied || run === null) {
    const frees = `${warning}${counted(things, "thing")} would go, which frees ${formatBytes(bytes)} once purged.`;
    const hint =
      isRefused || applied ? "" : " Nothing was removed. To do this, the same command with --apply.";
    return `${frees}${hint}\n`;
  }
  const held = freezeSeconds === null ? "" : ` Writes were held for ${freezeSeconds.toFixed(1)} s.`;
  return `${warning}${counted(things, "thing")} moved into the quarantine, ${formatBytes(bytes)}.${held} To undo: --undo ${run}\n`;
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
