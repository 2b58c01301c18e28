import * as v from "valibot";
import { describeType, ownershipOf, readEntry } from "../remote/entry.ts";
import { makeDirectory, removeDirectory, setOwnership } from "../remote/write.ts";
import { absolutePath, changedNow, ownership, type ResourceKind, unknown } from "./kind.ts";

const schema = v.strictObject({
  path: absolutePath,
  ...ownership,
  type: v.optional(v.literal("directory"), "directory"),
});

interface Inputs {
  path: string;
  mode: string;
  owner: string;
  group: string;
  /** What stands at the path: anything but `directory` is drift. */
  type: string;
}

/** A directory of the host: see `Directory` in resources.ts. */
export const directory: ResourceKind<Inputs> = {
  schema,
  replaceOn: ["path"],
  settings: [],

  async create(host, inputs) {
    await makeDirectory(host, inputs.path, inputs);
    return { id: inputs.path, outputs: { ...inputs, ...changedNow() } };
  },

  async read(host, id, { inputs: declared, outputs }) {
    const entry = await readEntry(host, id);
    if (entry.type === "gone") return undefined;
    const inputs = { path: id, ...ownershipOf(entry, declared), type: describeType(entry) };
    return { inputs, outputs: { ...outputs, ...inputs } };
  },

  async update(host, id, old, inputs) {
    if (old.inputs.type === inputs.type) await setOwnership(host, id, inputs);
    else await makeDirectory(host, id, inputs);
    return { ...inputs, ...changedNow() };
  },

  preview: (inputs) => ({ ...inputs, changedAt: unknown }),
  remove: (host, id) => removeDirectory(host, id),
};
