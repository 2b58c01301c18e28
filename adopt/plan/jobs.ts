import { serviceOf } from "../../contract/adoption.ts";
import type { HostFacts } from "../facts.ts";

/** A line that takes away what tags need. */
export interface HarmfulLine {
  readonly file: string;
  /** From 1. */
  readonly number: number;
  /** As it stands there. */
  readonly line: string;
  readonly harm: string;
}

/**
 * The lines that the first update disables: those of crontabs, and commands of services of the administrator's that
 * stand on one line. Any other, such as a script that a crontab runs, it cannot make a comment of and be sure that the
 * rest still works: the operator settles those, as the check of the deployment refuses them.
 */
export function planJobs({ cronLines, otherJobs }: Pick<HostFacts, "cronLines" | "otherJobs">): {
  readonly jobs: readonly HarmfulLine[];
  readonly blockers: readonly string[];
} {
  const isOurs = ({ file, isOneLine }: HostFacts["otherJobs"][number]) =>
    serviceOf(file) !== undefined && isOneLine;
  const inCrontabs = cronLines.flatMap(({ harm, ...line }) =>
    harm === undefined ? [] : [{ ...line, harm }],
  );
  return {
    jobs: [
      ...inCrontabs,
      ...otherJobs.filter(isOurs).map(({ file, number, line, harm }) => ({ file, number, line, harm })),
    ],
    blockers: otherJobs
      .filter((job) => !isOurs(job))
      .map(
        ({ file, number, harm }) =>
          `${file}:${number} is scheduled or run by what is scheduled, and ${harm}: disable it by hand, the first update refuses to end beside it`,
      ),
  };
}
