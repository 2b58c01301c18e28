import { isUtf8 } from "node:buffer";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import * as v from "valibot";
import { HostError } from "../errors.ts";
import { describeType, digestOf, type Entry, ownershipOf, readEntry } from "../remote/entry.ts";
import { removeFile, setOwnership, writeFile } from "../remote/write.ts";
import type { SshHost } from "../ssh/host.ts";
import {
  absolutePath,
  backupsOf,
  changedNow,
  ownership,
  type ResourceKind,
  unchanged,
  unknown,
  writtenNow,
} from "./kind.ts";

const schema = v.pipe(
  v.strictObject({
    path: absolutePath,
    content: v.optional(v.string("must be a text")),
    source: v.optional(v.string()),
    sha256: v.optional(v.string()),
    ...ownership,
    validate: v.optional(v.string()),
    backupDirectory: v.optional(absolutePath),
    restoreFrom: v.optional(absolutePath),
    type: v.optional(v.literal("file"), "file"),
  }),
  v.forward(
    v.check(
      (file) => (file.content === undefined) !== (file.source === undefined),
      "needs exactly one of `content` and `source`",
    ),
    ["content"],
  ),
);

interface Inputs {
  path: string;
  content?: string | undefined;
  source?: string | undefined;
  /** Of the source; undefined with `content`. */
  sha256?: string | undefined;
  mode: string;
  owner: string;
  group: string;
  validate?: string | undefined;
  backupDirectory?: string | undefined;
  restoreFrom?: string | undefined;
  /** What stands at the path: anything but `file` is drift. */
  type: string;
}

/** A file of the host: see `File` in resources.ts. */
export const file: ResourceKind<Inputs> = {
  schema,
  replaceOn: ["path"],
  settings: ["validate", "backupDirectory", "restoreFrom", "source"],

  async create(host, inputs) {
    if (await isInPlace(host, inputs)) return { id: inputs.path, outputs: { ...inputs, ...unchanged } };
    await put(host, inputs, undefined);
    return { id: inputs.path, outputs: { ...inputs, ...writtenNow() } };
  },

  async read(host, id, { inputs: declared, outputs }) {
    const known = declared?.sha256 ?? (declared?.content === undefined ? "" : digestOf(declared.content));
    const entry = await readEntry(host, id, known);
    if (entry.type === "gone") return undefined;
    const inputs = { ...declared, path: id, ...observe(entry, declared, known) };
    return { inputs, outputs: { ...outputs, ...inputs } };
  },

  async update(host, id, old, inputs) {
    if (hasSameContent(old.inputs, inputs)) {
      await setOwnership(host, id, inputs);
      return { ...old.outputs, ...inputs, ...changedNow() };
    }
    await put(host, inputs, old.inputs);
    return { ...inputs, ...writtenNow() };
  },

  missing: (path) => ({ path, content: "", mode: "", owner: "", group: "", type: "gone" }),

  preview(inputs, old) {
    const isKept = old !== undefined && hasSameContent(old.inputs, inputs);
    return { ...inputs, changedAt: unknown, writtenAt: isKept ? old.outputs.writtenAt : unknown };
  },

  remove: (host, id, { inputs }) =>
    removeFile(host, id, { backups: backupsOf(inputs, inputs), restoreFrom: inputs.restoreFrom }),
};

/** Whether the file is there as declared: a host may be taken over. One of our own was made for a state that is lost. */
async function isInPlace(host: SshHost, inputs: Inputs): Promise<boolean> {
  const wanted = inputs.sha256 ?? digestOf(inputs.content ?? "");
  const entry = await readEntry(host, inputs.path, wanted);
  const { mode, owner, group } = ownershipOf(entry, inputs);
  const isOwned = mode === inputs.mode && owner === inputs.owner && group === inputs.group;
  return entry.type === "file" && entry.sha256 === wanted && isOwned;
}

function hasSameContent(old: Inputs, { type, content, sha256 }: Inputs): boolean {
  return old.type === type && old.content === content && old.sha256 === sha256;
}

async function put(host: SshHost, inputs: Inputs, old: Inputs | undefined): Promise<void> {
  const content = inputs.content ?? (await sourceBytes(inputs));
  await writeFile(host, { ...inputs, content, backups: backupsOf(inputs, old) });
}

/** Sources are named relative to the project, whose folder holds the provider's. */
async function sourceBytes({ source = "", sha256, path }: Inputs): Promise<Buffer> {
  const bytes = await readFile(resolve(import.meta.dirname, "../..", source));
  const found = digestOf(bytes);
  if (found !== sha256) {
    throw new HostError(
      "E_STATE",
      `${path}: its source ${source} changed since the program read it: expected SHA-256 ${sha256}, got ${found}. Build it, then run again.`,
    );
  }
  return bytes;
}

function observe(entry: Entry, declared: Inputs | undefined, known: string): Omit<Inputs, "path"> {
  const facts = { type: describeType(entry), ...ownershipOf(entry, declared) };
  if (declared?.source !== undefined) return { ...facts, sha256: entry.type === "file" ? entry.sha256 : "" };
  if (entry.type !== "file") return { ...facts, content: "" };
  return { ...facts, content: entry.sha256 === known ? (declared?.content ?? "") : asText(entry) };
}

/** What is too large or no text is shown by its size and digest. */
function asText(entry: Extract<Entry, { type: "file" }>): string {
  if (entry.bytes && isUtf8(entry.bytes)) return entry.bytes.toString("utf8");
  return `(${entry.sizeBytes} bytes, SHA-256 ${entry.sha256})`;
}
