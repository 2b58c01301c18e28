import { randomUUID } from "node:crypto";
import * as v from "valibot";
import {
  type DataDirectory,
  dataFacts,
  keepDataDirectory,
  leaveDataDirectory,
} from "../remote/data-directory.ts";
import { describeType, ownershipOf, readEntry } from "../remote/entry.ts";
import { makeDirectory, removeDirectory, setOwnership } from "../remote/write.ts";
import type { SshHost } from "../ssh/host.ts";
import { assertServable, dataSchema, dataState, type KnownData } from "./data-state.ts";
import { absolutePath, type Bag, changedNow, ownership, type ResourceKind, unknown } from "./kind.ts";

const inPlace = "in place";

const schema = v.pipe(
  v.strictObject({
    path: absolutePath,
    ...ownership,
    type: v.optional(v.literal("directory"), "directory"),
    data: v.optional(dataSchema),
    found: v.optional(v.string()),
  }),
  v.transform((inputs) => (inputs.data === undefined ? inputs : { ...inputs, found: inPlace })),
);

interface Inputs {
  path: string;
  mode: string;
  owner: string;
  group: string;
  /** What stands at the path: anything but `directory` is drift. */
  type: string;
  /** Set where the directory holds data that exists nowhere else. */
  data?: Omit<DataDirectory, "path"> | undefined;
  /** With `data`: `in place`, or where and how the data is instead. */
  found?: string | undefined;
}

/** A directory of the host: see `Directory` in resources.ts. */
export const directory: ResourceKind<Inputs> = {
  schema,
  replaceOn: ["path"],
  settings: [],

  async create(host, inputs) {
    const outputs = await make(host, inputs, undefined);
    return { id: inputs.path, outputs: { ...inputs, ...outputs, ...changedNow() } };
  },

  async read(host, id, { inputs: declared, outputs = {} }) {
    const entry = await readEntry(host, id);
    const found = declared?.data && (await findData(host, id, declared.data, outputs));
    if (entry.type === "gone" && found === undefined) return undefined;
    const seen = { path: id, ...ownershipOf(entry, declared), type: describeType(entry) };
    const inputs = found === undefined ? seen : { ...seen, data: declared?.data, found };
    return { inputs, outputs: { ...outputs, ...inputs } };
  },

  async update(host, id, old, inputs) {
    if (inputs.data === undefined && old.inputs.type === inputs.type) await setOwnership(host, id, inputs);
    else return { ...inputs, ...(await make(host, inputs, old.outputs)), ...changedNow() };
    return { ...inputs, ...changedNow() };
  },

  missing: (path) => ({ path, mode: "", owner: "", group: "", type: "gone" }),

  preview(inputs, old) {
    const isKept = old?.outputs.dataId !== undefined && old.inputs.found === inputs.found;
    const dataId = inputs.data === undefined ? {} : { dataId: isKept ? old.outputs.dataId : unknown };
    return { ...inputs, ...dataId, changedAt: unknown };
  },

  remove: (host, id, { inputs }) =>
    inputs.data === undefined ? removeDirectory(host, id) : leaveDataDirectory(host, id, inputs.data.name),
};

/** Makes or keeps the directory. `old`: the outputs, where the state knows it. Returns further outputs. */
async function make(host: SshHost, inputs: Inputs, old: Bag | undefined): Promise<Bag> {
  if (inputs.data === undefined) {
    await makeDirectory(host, inputs.path, inputs);
    return {};
  }
  const data = { ...inputs.data, path: inputs.path };
  const state = dataState(data, await dataFacts(host, data), known(old));
  assertServable(host.name, data, state);
  const dataId = (state.kind === "in place" ? state.id : undefined) ?? randomUUID();
  await keepDataDirectory(host, data, dataId, inputs);
  return { dataId };
}

async function findData(
  host: SshHost,
  path: string,
  data: Omit<DataDirectory, "path">,
  outputs: Bag,
): Promise<string> {
  const state = dataState({ ...data, path }, await dataFacts(host, { ...data, path }), known(outputs));
  if (state.kind === "wrong") return state.found;
  // What the operator gave the word for, or was recorded before there were ids, is yet to be marked.
  return state.kind === "in place" && state.id === outputs.dataId ? inPlace : "not marked";
}

function known(outputs: Bag | undefined): KnownData | undefined {
  if (outputs === undefined) return undefined;
  return { id: typeof outputs.dataId === "string" ? outputs.dataId : undefined };
}
