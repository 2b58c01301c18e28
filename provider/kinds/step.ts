import * as v from "valibot";
import type { SshHost } from "../ssh/host.ts";
import { changedNow, type ResourceKind, unknown } from "./kind.ts";

const schema = v.strictObject({
  action: v.pipe(v.string("must be a text"), v.nonEmpty("must say what the script does")),
  script: v.pipe(v.string("must be a text"), v.nonEmpty("must not be empty")),
  stdin: v.optional(v.string("must be a text")),
  triggers: v.array(v.string("must be a text")),
  removal: v.optional(v.string("must be a text")),
});

type Inputs = v.InferOutput<typeof schema>;

/** A script that runs on the host: see `Step` in resources.ts. */
export const step: ResourceKind<Inputs> = {
  schema,
  replaceOn: [],
  settings: ["action", "script", "stdin", "removal"],

  async create(host, inputs) {
    await perform(host, inputs.script, inputs);
    return { id: "step", outputs: changedNow() };
  },

  // It leaves nothing that could be read back: that it has run is known from the record alone.
  async read(_host, _id, { inputs, outputs }) {
    return inputs && { inputs, outputs: outputs ?? {} };
  },

  async update(host, _id, _old, inputs) {
    await perform(host, inputs.script, inputs);
    return changedNow();
  },

  preview: () => ({ changedAt: unknown }),

  async remove(host, _id, { inputs }) {
    const { action, removal } = inputs;
    if (removal !== undefined) await perform(host, removal, { action });
    return undefined;
  },
};

/** All that the script says is part of its failure, in the order in which it was said. */
async function perform(
  host: SshHost,
  script: string,
  { action, stdin }: Pick<Inputs, "action" | "stdin">,
): Promise<void> {
  await host.run(`exec >&2\n${script}`, [], { action, ...(stdin === undefined ? {} : { stdin }) });
}
