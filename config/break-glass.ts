import * as v from "valibot";
import { defaultBreakGlassDirectory } from "../contract/host-paths.ts";
import { calendar } from "./formats.ts";
import { directory } from "./host.ts";
import { described, example, withDefault } from "./setting.ts";

/** Images of the private registry that are copied on the VM, for when the registry cannot serve them. */

// They end up in a unit file: nothing needs quoting.
const taggedImage = described(
  "an image of the private registry as REPOSITORY:TAG, without the registry's address",
  v.pipe(v.string(), v.regex(/^[a-z0-9]+((\.|__?|-+|\/)[a-z0-9]+)*:\w[\w.-]{0,127}$/)),
);

// It is given to the programs' account: nothing that a system has by itself lies so deep.
const ownDirectory = described(
  "an absolute path of at least three names, of a directory for these copies alone",
  v.pipe(
    directory,
    v.check((path) => path.split("/").length > 3),
  ),
);

const breakGlass = v.strictObject({
  images: described(
    "a list of at least one image",
    v.pipe(v.array(example(taggedImage, "infra-ci:latest")), v.minLength(1)),
  ),
  directory: withDefault(ownDirectory, defaultBreakGlassDirectory),
  onCalendar: withDefault(calendar, "*-*-* 04:30:00"),
});

export const breakGlassEntries = { breakGlass: v.optional(breakGlass) };
