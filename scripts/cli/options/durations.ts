import * as v from "valibot";

const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/** Milliseconds that a text like `30s`, `15m`, `24h`, `7d` or `2w` spells; undefined for any other. */
export function parseDuration(text: string): number | undefined {
  const [, digits = "", unit = ""] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  const ms = Number(digits) * (unitMs[unit] ?? Number.NaN);
  return digits === "" || Number.isNaN(ms) ? undefined : ms;
}

/** Schema of an option that takes a time, in milliseconds. `example` stands in the message. */
export function duration(option: string, example: string) {
  return v.pipe(
    v.string(),
    v.check(
      (given) => parseDuration(given) !== undefined,
      `${option} needs a number and s, m, h, d or w, like ${example}.`,
    ),
    v.transform((given) => parseDuration(given) ?? 0),
  );
}
