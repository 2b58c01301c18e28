import * as v from "valibot";

const unitBytes: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  ki: 1024,
  mi: 1024 ** 2,
  gi: 1024 ** 3,
};

/** Bytes; undefined when the text spells no positive number of them. */
export function parseBytes(text: string): number | undefined {
  const [, digits = "", unit = ""] = /^(\d{1,12}(?:\.\d{1,3})?)\s*([kmg]i?|)b?(?:\/s)?$/i.exec(text) ?? [];
  const bytes = Number(digits) * (unitBytes[unit.toLowerCase()] ?? Number.NaN);
  return bytes > 0 ? bytes : undefined;
}

/** Schema of `--bandwidth-limit`. */
export const bandwidthLimit = v.optional(
  v.pipe(
    v.string(),
    v.check(
      (given) => parseBytes(given) !== undefined,
      "--bandwidth-limit needs bytes a second, like 50M or 500KiB.",
    ),
    v.transform(parseBytes),
  ),
);
