import * as v from "valibot";

/** Schema of an option that may be given several times, each time with a name. */
export function names(option: string) {
  return v.optional(v.array(v.pipe(v.string(), v.nonEmpty(`${option} needs a name.`))), []);
}
