import * as v from "valibot";
import { ProgramError } from "../cli/errors.ts";
import { parsePlainAddress } from "../cli/options/address.ts";
import { path } from "../cli/options/path.ts";
import type { FreezeOptions } from "./write-freeze.ts";

/** For the schema of a command's arguments: how nginx holds writes, and says that it does; or that nothing serves the stores. */
export const freezeEntries = {
  offline: v.optional(v.boolean(), false),
  freeze: path("--freeze"),
  "freeze-status": v.optional(
    v.pipe(
      v.string(),
      v.check((text) => parsePlainAddress(text) !== undefined, "--freeze-status must be an http address."),
    ),
  ),
};

/** Both or none, and none with `--offline`. Errors: E_USAGE. */
export function freezeOf(given: {
  readonly offline: boolean;
  readonly freeze?: string | undefined;
  readonly "freeze-status"?: string | undefined;
}): FreezeOptions | undefined {
  const { freeze: flagFile, "freeze-status": statusUrl } = given;
  if (flagFile === undefined && statusUrl === undefined) return undefined;
  if (flagFile === undefined || statusUrl === undefined)
    throw new ProgramError("E_USAGE", "--freeze and --freeze-status belong together.");
  if (given.offline) throw new ProgramError("E_USAGE", "--offline and --freeze contradict each other.");
  return { flagFile, statusUrl };
}
