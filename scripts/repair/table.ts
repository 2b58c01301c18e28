import type { MissingFile, RepairChange, RepairImage, RepairOutcome } from "../../contract/repair-report.ts";
import { shortDigest } from "../registry/digest.ts";
import { renderFindings } from "../report/finding-list.ts";
import { renderTable } from "../report/table.ts";
import type { PlanReport } from "./report.ts";

/** Of one image, people get to see this many missing files; the JSON document has all. */
const shownFiles = 12;

/** The plan as people read it: one line for each image, then each with what is missing, and what will be done. */
export function renderPlan({ images, changes, triage, problems }: PlanReport): string {
  return [
    images.length > 0 ? renderImages(images, changes) : "",
    ...images.map((image) => renderImage(image, changes)),
    renderLeft(triage),
    ...problems.map((problem) => `Could not be checked: ${problem}\n`),
    renderSummary(images, changes),
  ].join("");
}

function renderImages(images: readonly RepairImage[], changes: readonly RepairChange[]): string {
  const head = ["REGISTRY", "REPOSITORY", "TAG", "MISSING", "CHANGES", "REMEDY", "AFTERWARDS"];
  const rows = images.map((image) => [
    image.registry,
    image.repository,
    nameOf(image),
    describeMissing(image.missing),
    String(image.changes.length),
    image.remedy,
    afterwards(image),
  ]);
  const bytes = changes.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
  const copied = bytes > 0 ? `To be copied: ${bytes} bytes\n` : "";
  return `${renderTable(head, rows)}${copied}\n`;
}

function nameOf({ tag, digest }: RepairImage): string {
  return tag ?? (digest === null ? "?" : shortDigest(digest));
}

function afterwards({ completeAfterwards, changes }: RepairImage): string {
  if (completeAfterwards) return "complete";
  return changes.length > 0 ? "in part" : "broken";
}

/** `2 revision-links, 1 layer`. */
function describeMissing(missing: readonly MissingFile[]): string {
  const sorts = Map.groupBy(missing, ({ what }) => what);
  return [...sorts].map(([what, own]) => `${own.length} ${what}${own.length === 1 ? "" : "s"}`).join(", ");
}

function renderImage(image: RepairImage, changes: readonly RepairChange[]): string {
  const { missing } = image;
  const files = missing.slice(0, shownFiles).map(renderFile);
  const more =
    missing.length > files.length
      ? [`    ... and ${missing.length - files.length} more; --json lists all`]
      : [];
  const done = image.changes.flatMap((position) => {
    const change = changes[position];
    return change ? [`    - ${describeChange(change)}`] : [];
  });
  const shown = done.slice(0, shownFiles);
  const rest =
    done.length > shown.length ? [`    ... and ${done.length - shown.length} more; --json lists all`] : [];
  return [
    `${image.registry}: ${image.repository} ${nameOf(image)}: ${image.remedy}`,
    "  missing",
    ...files,
    ...more,
    ...(done.length > 0 ? ["  to be done", ...shown, ...rest] : []),
    ...(image.hints.length > 0 ? ["  hint", ...image.hints.map((line) => `    ${line}`)] : []),
    "",
    "",
  ].join("\n");
}

function renderFile({ what, digest, platform, reason, remedy }: MissingFile): string {
  const named = [digest === null ? "" : shortDigest(digest), platform === null ? "" : `(${platform})`];
  return `    - ${[what, ...named].filter(Boolean).join(" ")} ${reason}: ${remedy}`;
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
  if (kind === "blob" && from === null) return `write the empty blob ${shortDigest(digest)}${instead}`;
  if (kind === "blob") return `copy ${shortDigest(digest)}, ${sizeBytes} bytes, from ${from}${instead}`;
  if (kind === "tag-link") return `point ${repository}:${tag} at ${shortDigest(digest)}${instead}`;
  return `write the ${kind.replace("-", " ")} of ${shortDigest(digest)} in ${repository}${instead}`;
}

function renderLeft(triage: PlanReport["triage"]): string {
  const left = triage.filter(({ remedy }) => remedy === "remove-link" || remedy === "none");
  if (left.length === 0) return "";
  return `Not repaired, as no image needs it or nothing can be done from here:\n${renderFindings(left.map(({ finding }) => finding))}\n`;
}

function renderSummary(images: readonly RepairImage[], changes: readonly RepairChange[]): string {
  if (images.length === 0) return "No image lacks anything.\n";
  const complete = images.filter(({ completeAfterwards }) => completeAfterwards).length;
  return `Damaged images: ${images.length}; complete afterwards: ${complete}; changes: ${changes.length}.\n`;
}

/** What was done, what is left, and what to do about it. */
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
              `Data was copied into ${name}. If it has a descriptor cache, restart it: docker restart registry-${name}\n`,
          ),
          ...(registries.length === 0
            ? ["Links alone were written: the registry serves them at once.\n"]
            : []),
        ]
      : []),
  ].join("");
}
