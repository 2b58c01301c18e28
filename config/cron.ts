const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

interface CronField {
  readonly from: number;
  readonly to: number;
  /** Names of the values, from `from` on. */
  readonly names?: readonly string[];
}

const CRON_FIELDS: readonly CronField[] = [
  { from: 0, to: 59 },
  { from: 0, to: 23 },
  { from: 1, to: 31 },
  { from: 1, to: 12, names: MONTHS },
  { from: 0, to: 6, names: WEEKDAYS },
];

/**
 * Whether the API server takes a text as a CronJob's schedule. The `@daily` forms are left out: they hide the hour.
 *
 * Source: robfig/cron v3, parser.go. Libraries for Node speak other dialects: croner takes a weekday of 7, `L`, `15W`
 * and `1#2`, which Kubernetes refuses, and refuses `5/10`, which Kubernetes takes.
 */
export function isCronExpression(text: string): boolean {
  const fields = text.split(" ");
  return fields.length === CRON_FIELDS.length && CRON_FIELDS.every((field, at) => isField(fields[at], field));
}

function isField(text: string | undefined, field: CronField): boolean {
  return text?.split(",").every((part) => isPart(part, field)) ?? false;
}

function isPart(text: string, field: CronField): boolean {
  const [range = "", step, ...rest] = text.split("/");
  if (rest.length > 0 || (step !== undefined && !/^[1-9]\d*$/.test(step))) return false;
  if (range === "*") return true;
  const ends = range.split("-").map((end) => fieldValue(end, field));
  if (ends.length > 2 || ends.includes(undefined)) return false;
  const [first = 0, last = first] = ends;
  return first <= last;
}

function fieldValue(text: string, { from, to, names = [] }: CronField): number | undefined {
  const named = names.indexOf(text.toLowerCase());
  if (named >= 0) return from + named;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= from && value <= to ? value : undefined;
}
