import * as v from "valibot";

/** Schema of an option that takes the path of a file, and may be left out. */
export function path(option: string) {
  return v.optional(v.pipe(v.string(), v.nonEmpty(`${option} needs the path of a file.`)));
}
