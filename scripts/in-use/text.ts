import type { InUseRegistry, InUseReport, UsedImage } from "../../contract/in-use-report.ts";
import { renderSentences } from "../report/finding-list.ts";

/** The report as people read it. */
export function renderInUseReport(report: InUseReport): string {
  const { registries, platforms, broken, problems, otherImages, durationSeconds, complete } = report;
  const heads = registries.map((registry) => `${renderRegistry(registry, report.images)}\n`);
  const nodes = platforms.length === 0 ? "no node's platform is known" : `nodes are ${platforms.join(", ")}`;
  const sum =
    broken.length === 0 ? "Nothing in use was found broken." : `${broken.length} images in use are broken.`;
  return [
    ...heads,
    `${nodes}; ${otherImages} images of other registries were not checked; ${durationSeconds} s\n`,
    ...[...broken, ...problems].map((one) => `  - ${renderSentences(one, "    ")}\n`),
    `${sum}${complete ? "" : " NOT COMPLETE: something could not be checked."}\n`,
  ].join("");
}

function renderRegistry(
  { name, images, workloads, requests }: InUseRegistry,
  all: readonly UsedImage[],
): string {
  const former = all.filter(({ registry, isNeeded }) => registry === name && !isNeeded).length;
  const more = former === 0 ? "" : `; a rollback may need ${former} more`;
  return `${name}: ${images} images in use by ${workloads} workloads${more}; ${requests} requests`;
}
