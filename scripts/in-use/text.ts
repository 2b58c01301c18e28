import type { InUseReport } from "../../contract/in-use-report.ts";
import { renderSentences } from "../report/finding-list.ts";

/** The report as people read it. */
export function renderInUseReport(report: InUseReport): string {
  const { registries, platforms, broken, problems, otherImages, durationSeconds, complete } = report;
  const heads = registries.map(
    ({ name, images, workloads, requests }) =>
      `${name}: ${images} images in use by ${workloads} workloads; ${requests} requests\n`,
  );
  const nodes = platforms.length === 0 ? "no nodes were read" : `nodes are ${platforms.join(", ")}`;
  const sum =
    broken.length === 0 ? "Nothing in use was found broken." : `${broken.length} images in use are broken.`;
  return [
    ...heads,
    `${nodes}; ${otherImages} images of other registries were left alone; ${durationSeconds} s\n`,
    ...[...broken, ...problems].map((one) => `  - ${renderSentences(one, "    ")}\n`),
    `${sum}${complete ? "" : " NOT COMPLETE: something could not be checked."}\n`,
  ].join("");
}
