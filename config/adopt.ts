import * as v from "valibot";
import { existingKinds } from "../contract/adoption.ts";
import { image, line } from "./formats.ts";
import { described, example } from "./setting.ts";

/** What the VM had before the stack: written by `npm run adopt`, and of no more use after the first update. */

const NAMES: Readonly<Record<(typeof existingKinds)[number], v.GenericSchema>> = {
  directory: v.pipe(v.string(), v.regex(/^(\/[\w.-]+)+$/)),
  file: v.pipe(v.string(), v.regex(/^(\/[\w.-]+)+$/)),
  unit: v.pipe(v.string(), v.regex(/^[\w@.:-]+\.(service|timer|path)$/)),
  image,
  project: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9_-]*$/)),
};

const existing = described(
  `KIND:NAME of something that is on the VM already and is imported: KIND is ${existingKinds.join(", ")}`,
  v.pipe(v.string(), v.check(isExisting)),
);
const jobFile = described(
  "the absolute path of a crontab, or of a service in /etc/systemd/system",
  v.pipe(v.string(), v.regex(/^\/(etc|var)(\/[\w.-]+)+$/)),
);
const job = v.strictObject({
  file: example(jobFile, "/var/spool/cron/crontabs/root"),
  line: example(described("the complete line of that file", line), "25 3 * * 0 COMMAND"),
});

const adopt = v.strictObject({
  existing: v.optional(
    described("a list of KIND:NAME", v.array(example(existing, "file:/opt/registry/docker-compose.yml"))),
    [],
  ),
  jobs: v.optional(v.array(job), []),
});

export const adoptEntries = { adopt: v.optional(adopt) };

function isExisting(text: string): boolean {
  const at = text.indexOf(":");
  const schema = (NAMES as Readonly<Record<string, v.GenericSchema>>)[text.slice(0, at)];
  return schema !== undefined && v.is(schema, text.slice(at + 1));
}
