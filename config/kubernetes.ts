/** Forms of values that the API server would refuse only after the rest of the update was done. */

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

const UNIT_BYTES: Readonly<Record<string, number>> = {
  M: 1e6,
  G: 1e9,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
};

/** Five fields, as a CronJob takes them. The `@daily` forms are left out: they hide the hour. */
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

/** Bytes of a quantity of memory; undefined when it is none. Without a unit it would be bytes: nobody means that. */
export function memoryBytes(text: string): number | undefined {
  const [, count, unit = ""] = /^([1-9]\d*)(M|G|Mi|Gi)$/.exec(text) ?? [];
  const factor = UNIT_BYTES[unit];
  return count === undefined || factor === undefined ? undefined : Number(count) * factor;
}

/** A label as `KEY=VALUE`, with an optional prefix of the key. */
export function isLabel(text: string): boolean {
  const name = "[A-Za-z0-9]([\\w.-]{0,61}[A-Za-z0-9])?";
  return new RegExp(`^([a-z0-9.-]+/)?${name}=(${name})?$`).test(text);
}
