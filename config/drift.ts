import * as v from "valibot";
import { allowableKinds } from "../contract/unmanaged.ts";
import { described, example } from "./setting.ts";

/** What a drift run shall pass over. */

const thing = described(
  `KIND:NAME of something on the VM that is not declared and may stay: KIND is ${allowableKinds.join(", ")}; * in NAME stands for any text`,
  v.pipe(
    v.string(),
    v.check((text) =>
      allowableKinds.some((kind) => text.startsWith(`${kind}:`) && text.length > kind.length + 1),
    ),
  ),
);

const drift = v.strictObject({
  allow: v.optional(described("a list of KIND:NAME", v.array(example(thing, "port:9100/tcp"))), []),
});

export const driftEntries = { drift: v.optional(drift, {}) };
