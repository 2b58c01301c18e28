import * as v from "valibot";
import { parseInUseOrigin } from "./read-in-use.ts";

/** Schema of the option `--in-use`, which says where the list of the images in use is; undefined: none is used. */
export const inUseOption = v.optional(
  v.pipe(
    v.string(),
    v.check(
      (text) => parseInUseOrigin(text) !== undefined,
      "--in-use must be a file, or like tag:private/regwarden/in-use:latest.",
    ),
    v.transform(parseInUseOrigin),
  ),
);
