import { harmfulJobs, LISTING_END, listJobsFunction } from "../../contract/harmful-jobs.ts";
import type { CronLineFact, JobFact } from "../facts.ts";

/**
 * Argument: root, for tests. Every line of every crontab, as `grep -nHZ` prints it, and a last line by which a listing
 * that was cut off is known.
 */
export const cronScript = `set -eu
export LC_ALL=C
root=$1
for path in /etc/crontab /etc/anacrontab /etc/cron.d /var/spool/cron; do
  [ -e "$root$path" ] || continue
  find -L "$root$path" -type f ! -name '.*' -exec sh -c 'for file; do grep -InHZ "" -- "$file" || [ $? = 1 ] || exit 1; done' sh {} +
done
printf '%s\\n' '${LISTING_END}'`;

/** The lines that schedule something. Errors: throws when the listing was cut off. */
export function cronLinesOf(output: Buffer, root = ""): CronLineFact[] {
  const listing = output.toString("utf8");
  const harmful = harmfulJobs(listing);
  if (harmful === undefined) throw new Error("the listing of the crontabs was cut off");
  const harms = new Map(harmful.map(({ file, line, reason }) => [`${file}:${line}`, reason]));
  return listing.split("\n").flatMap((text) => {
    const [, file, number, line = ""] = /^([^\0]+)\0(\d+):(.*)$/.exec(text) ?? [];
    // A comment, or a variable of the environment.
    if (file === undefined || /^\s*(#|$|\w+\s*=)/.test(line)) return [];
    const harm = harms.get(`${file}:${number}`);
    return [{ file: file.slice(root.length), number: Number(number), line, harm }];
  });
}

/** Argument: root, for tests. Every line of each file that schedules or runs a harmful job, crontabs or not. */
export const jobsScript = `set -eu
export LC_ALL=C
${listJobsFunction}
list_jobs "$1"`;

const crontabs = /^\/(etc\/(crontab|anacrontab|cron\.d\/)|var\/spool\/cron\/)/;

/** The harmful lines that stand in no crontab. Errors: throws when the listing was cut off. */
export function otherJobsOf(output: Buffer, root = ""): JobFact[] {
  const listing = output.toString("utf8");
  const harmful = harmfulJobs(listing);
  if (harmful === undefined) throw new Error("the listing of the scheduled jobs was cut off");
  const lines = new Map(
    listing.split("\n").map((text) => {
      const [, key = "", line = ""] = /^([^\0]+\0\d+):(.*)$/.exec(text) ?? [];
      return [key, line] as const;
    }),
  );
  return harmful.flatMap(({ file, line: number, command, reason: harm }) => {
    const path = file.slice(root.length);
    if (crontabs.test(path)) return [];
    const line = lines.get(`${file}\0${number}`) ?? "";
    return [{ file: path, number, line, isOneLine: line.trim() === command, harm }];
  });
}
