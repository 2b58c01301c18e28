import * as v from "valibot";

/** Schema of an option that takes a share like `30%`: a number from 0 to 1. */
export function share(option: string, standard: string) {
  return v.pipe(
    v.optional(v.string(), standard),
    v.regex(/^(?:100|\d{1,2})%$/, `${option} must be a share from 0% to 100%.`),
    v.transform((text) => Number.parseInt(text, 10) / 100),
  );
}
