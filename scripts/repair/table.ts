import type { LostPart, RepairChange, RepairImage, RepairOutcome } from "../../contract/repair-report.ts";
import { shortDigest } from "../registry/digest.ts";
import { renderFindings } from "../report/finding-list.ts";
import type { PlanReport } from "./report.ts";

/** Of one image, people get to see this many lost parts; the JSON document has all. */
const shownLosses = 12;

/** The plan as people read it: one line for each image, then each with what is lost, and what will be done. */
export function renderPlan({ images, changes, triage, problems }: PlanReport): string {
  return [
    images.length > 0 ? renderTable(images, changes) : "",
    ...images.map((image) => renderImage(image, changes)),
    renderAdvice(triage),
    ...problems.map((problem) => `Could not be looked at: ${problem}\n`),
    renderSummary(images, changes),
  ].join("");
}

function renderTable(images: readonly RepairImage[], changes: readonly RepairChange[]): string {
  const head = ["REGISTRY", "REPOSITORY", "TAG", "LOST", "CHANGES", "REMEDY", "AFTERWARDS"];
  const rows = images.map((image) => [
    image.registry,
    image.repository,
    nameOf(image),
    describeLosses(image.lost),
    String(image.changes.length),
    image.remedy,
    afterwards(image),
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  const bytes = changes.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
  const copied = bytes > 0 ? `To be copied: ${bytes} bytes\n` : "";
  return `${[head, ...rows].map(line).join("\n")}\n${copied}\n`;
}

function nameOf({ tag, digest }: RepairImage): string {
  return tag ?? (digest === null ? "?" : shortDigest(digest));
}

function afterwards({ wholeAfterwards, changes }: RepairImage): string {
  if (wholeAfterwards) return "whole";
  return changes.length > 0 ? "in part" : "broken";
}

/** `2 revision-links, 1 layer`. */
function describeLosses(lost: readonly LostPart[]): string {
  const sorts = Map.groupBy(lost, ({ what }) => what);
  return [...sorts].map(([what, own]) => `${own.length} ${what}${own.length === 1 ? "" : "s"}`).join(", ");
}

function renderImage(image: RepairImage, changes: readonly RepairChange[]): string {
  const { lost } = image;
  const losses = lost.slice(0, shownLosses).map(renderLoss);
  const more =
    lost.length > losses.length ? [`    ... and ${lost.length - losses.length} more; --json lists all`] : [];
  const done = image.changes.flatMap((position) => {
    const change = changes[position];
    return change ? [`    - ${describeChange(change)}`] : [];
  });
  const shown = done.slice(0, shownLosses);
  const rest =
    done.length > shown.length ? [`    ... and ${done.length - shown.length} more; --json lists all`] : [];
  return [
    `${image.registry}: ${image.repository} ${nameOf(image)}: ${image.remedy}`,
    "  lost",
    ...losses,
    ...more,
    ...(done.length > 0 ? ["  to be done", ...shown, ...rest] : []),
    ...(image.next.length > 0 ? ["  next, by you", ...image.next.map((command) => `    ${command}`)] : []),
    "",
    "",
  ].join("\n");
}

function renderLoss({ what, digest, platform, cause, remedy }: LostPart): string {
  const named = [digest === null ? "" : shortDigest(digest), platform === null ? "" : `(${platform})`];
  return `    - ${[what, ...named].filter(Boolean).join(" ")} ${cause}: ${remedy}`;
}

export function describeChange({
  kind,
  repository,
  tag,
  digest,
  sizeBytes,
  from,
  replaces,
}: RepairChange): string {
  const instead = replaces === null ? "" : `, in place of what ${replaces}`;
  if (kind === "blob") return `copy ${shortDigest(digest)}, ${sizeBytes} bytes, from ${from}${instead}`;
  if (kind === "tag-link") return `point ${repository}:${tag} at ${shortDigest(digest)}${instead}`;
  return `write the ${kind.replace("-", " ")} of ${shortDigest(digest)} in ${repository}${instead}`;
}

function renderAdvice(triage: PlanReport["triage"]): string {
  const left = triage.filter(({ remedy }) => remedy === "remove-link" || remedy === "none");
  if (left.length === 0) return "";
  return `Not repaired, as no image needs it or nothing can be done from here:\n${renderFindings(left.map(({ finding }) => finding))}\n`;
}

function renderSummary(images: readonly RepairImage[], changes: readonly RepairChange[]): string {
  if (images.length === 0) return "No image lacks anything.\n";
  const whole = images.filter(({ wholeAfterwards }) => wholeAfterwards).length;
  return `Damaged images: ${images.length}; whole afterwards: ${whole}; changes: ${changes.length}.\n`;
}

/** What was done, what is left, and what to do next. */
export function renderOutcome(
  { made, failures, left }: RepairOutcome,
  {
    changes,
    journal,
    directory,
  }: { readonly changes: readonly RepairChange[]; readonly journal: string; readonly directory: string },
): string {
  const registries = [
    ...new Set(changes.filter(({ kind }) => kind === "blob").map(({ registry }) => registry)),
  ];
  return [
    `Made ${made} of ${changes.length} changes.\n`,
    ...failures.map((failure) => `Not made: ${failure}\n`),
    left.length === 0 ? "A new scan finds nothing.\n" : `A new scan still finds:\n${renderFindings(left)}`,
    ...(made > 0
      ? [
          `To take it back: regwarden repair ${directory} --undo ${journal}\n`,
          ...registries.map(
            (name) =>
              `Data was copied into ${name}: restart it, as it remembers what it saw before: docker restart registry-${name}\n`,
          ),
          ...(registries.length === 0
            ? ["Links alone were written: the registry serves them at once.\n"]
            : []),
        ]
      : []),
  ].join("");
}
