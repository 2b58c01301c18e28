import * as v from "valibot";
import { ProgramError } from "../cli/errors.ts";
import { parsePlainAddress } from "../cli/options/address.ts";
import { path } from "../cli/options/path.ts";
import type { FreezeOptions } from "./write-freeze.ts";

/** For the schema of a command's arguments: how nginx holds writes, and says that it does. */
export const freezeOptions = {
  freeze: path("--freeze"),
  "freeze-status": v.optional(
    v.pipe(
      v.string(),
      v.check((text) => parsePlainAddress(text) !== undefined, "--freeze-status must be an http address."),
    ),
  ),
};

/** Both or none. Errors: E_USAGE. */
export function freezeOf(given: {
  readonly freeze?: string | undefined;
  readonly "freeze-status"?: string | undefined;
}): FreezeOptions | undefined {
  const { freeze: flagFile, "freeze-status": statusUrl } = given;
  if (flagFile !== undefined && statusUrl !== undefined) return { flagFile, statusUrl };
  if (flagFile !== undefined || statusUrl !== undefined)
    throw new ProgramError("E_USAGE", "--freeze and --freeze-status belong together.");
  return undefined;
}
