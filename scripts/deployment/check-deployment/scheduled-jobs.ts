import { readFile } from "node:fs/promises";
import { harmfulJobs } from "../../../contract/harmful-jobs.ts";
import { describeError } from "../../cli/errors.ts";
import { type Check, check, type Observation } from "../check.ts";

/**
 * That no crontab, timer or unit of the host runs what breaks tags: an older set-up of the same host may have left one.
 * `path` is a listing of the host's jobs, which the step that starts this program makes.
 */
export async function checkScheduledJobs(path: string): Promise<readonly Check[]> {
  const title = "no scheduled job of the host removes what tags need";
  const done = await check(title, "none", () => observeJobs(path));
  // No service was asked, so this says nothing on whether any answers.
  return [{ ...done, isReached: false }];
}

async function observeJobs(path: string): Promise<Observation> {
  const listing = await readFile(path, "utf8").catch((error: unknown) => describeError(error));
  const jobs = harmfulJobs(listing);
  if (jobs === undefined)
    return {
      got: "no complete list of the host's jobs",
      hint: `see that GNU grep, findutils and coreutils are on the host. ${listing.slice(0, 200)}`.trim(),
    };
  if (jobs.length === 0) return { got: "none" };
  const lines = jobs.map(
    ({ file, line, command, reason }) => `\n          ${file}:${line}: ${command} (${reason})`,
  );
  return {
    got: `${jobs.length}${lines.join("")}`,
    hint: "remove them (crontab -e; systemctl disable --now UNIT, then the unit's file): each run breaks tags.",
  };
}
