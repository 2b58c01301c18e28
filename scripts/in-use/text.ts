import type { InUseRegistry, InUseReport, UsedImage } from "../../contract/in-use-report.ts";
import { renderSentences } from "../report/finding-list.ts";
import { conclude, counted } from "../report/phrases.ts";

/** The report as people read it. */
export function renderInUseReport(report: InUseReport): string {
  const { registries, platforms, broken, problems, otherImages, durationSeconds, complete } = report;
  const heads = registries.map((registry) => `${renderRegistry(registry, report.images)}\n`);
  const nodes = platforms.length === 0 ? "no node's platform is known" : `nodes are ${platforms.join(", ")}`;
  const sum =
    broken.length === 0 ? null : `${counted(broken.length, "image in use is", "images in use are")} broken.`;
  return [
    ...heads,
    `${nodes}; ${counted(otherImages, "image of another registry was", "images of other registries were")} not checked; ${durationSeconds} s\n`,
    ...[...broken, ...problems].map((one) => `  - ${renderSentences(one, "    ")}\n`),
    `${conclude(sum, complete)}\n`,
  ].join("");
}

function renderRegistry(
  { name, images, workloads, requests }: InUseRegistry,
  all: readonly UsedImage[],
): string {
  const former = all.filter(({ registry, isNeeded }) => registry === name && !isNeeded).length;
  const more = former === 0 ? "" : `; a rollback may need ${former} more`;
  const used = `${counted(images, "image")} in use by ${counted(workloads, "workload")}`;
  return `${name}: ${used}${more}; ${counted(requests, "request")}`;
}
