import { isDeepStrictEqual } from "node:util";
import bcrypt from "bcryptjs";
import * as v from "valibot";
import { describeType, ownershipOf, readEntry } from "../remote/entry.ts";
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

const schema = v.strictObject({
  path: absolutePath,
  users: v.record(
    v.pipe(v.string(), v.regex(/^[^:\s]+$/, "a user name has no colon and no space")),
    v.pipe(
      v.string(),
      v.nonEmpty("the password is empty"),
      v.maxBytes(72, "bcrypt reads 72 bytes at the most"),
    ),
  ),
  ...ownership,
  backupDirectory: v.optional(absolutePath),
  type: v.optional(v.literal("file"), "file"),
});

interface Inputs {
  path: string;
  users: Record<string, string>;
  mode: string;
  owner: string;
  group: string;
  backupDirectory?: string | undefined;
  type: string;
}

/**
 * As `htpasswd -B` has it. distribution keeps no login: each request of each pull pays this again, 2 ms at 5, and
 * 50 to 70 ms at 10. The file is for root alone, and its passwords are for machines, which can be long.
 */
const bcryptCost = 5;

/** Password entries of the host: see `Htpasswd` in resources.ts. */
export const htpasswd: ResourceKind<Inputs> = {
  schema,
  replaceOn: ["path"],
  settings: ["backupDirectory"],
  opaque: ["users"],

  async create(host, inputs) {
    // Its hashes have a salt each: written anew they would be others, though nothing has changed.
    const found = await htpasswd.read(host, inputs.path, { inputs });
    if (found && isDeepStrictEqual({ ...inputs, ...found.inputs }, { ...inputs }))
      return { id: inputs.path, outputs: { ...inputs, ...unchanged } };
    await put(host, inputs, undefined);
    return { id: inputs.path, outputs: { ...inputs, ...writtenNow() } };
  },

  async read(host, id, { inputs: declared, outputs }) {
    const entry = await readEntry(host, id);
    if (entry.type === "gone") return undefined;
    const inputs = {
      ...declared,
      path: id,
      users: await verifiedUsers(
        (entry.type === "file" && entry.bytes?.toString("utf8")) || "",
        declared?.users ?? {},
      ),
      ...ownershipOf(entry, declared),
      type: describeType(entry),
    };
    return { inputs, outputs: { ...outputs, ...inputs } };
  },

  async update(host, id, old, inputs) {
    if (hasSameEntries(old.inputs, inputs)) {
      await setOwnership(host, id, inputs);
      return { ...old.outputs, ...inputs, ...changedNow() };
    }
    await put(host, inputs, old.inputs);
    return { ...inputs, ...writtenNow() };
  },

  preview(inputs, old) {
    const isKept = old !== undefined && hasSameEntries(old.inputs, inputs);
    return { ...inputs, changedAt: unknown, writtenAt: isKept ? old.outputs.writtenAt : unknown };
  },

  remove: (host, id, { inputs }) => removeFile(host, id, { backups: backupsOf(inputs, inputs) }),
};

function hasSameEntries(old: Inputs, { type, users }: Inputs): boolean {
  return old.type === type && isDeepStrictEqual(old.users, users);
}

async function put(host: SshHost, inputs: Inputs, old: Inputs | undefined): Promise<void> {
  const lines = await Promise.all(
    Object.entries(inputs.users).map(
      async ([name, password]) => `${name}:${await bcrypt.hash(password, bcryptCost)}\n`,
    ),
  );
  await writeFile(host, { ...inputs, content: lines.join(""), backups: backupsOf(inputs, old) });
}

/**
 * Passwords by name, of the entries in the file: the declared password where the entry verifies it, else a note that
 * it does not. A file line that is no entry counts as a user of that name, so that it shows as a difference.
 */
async function verifiedUsers(
  text: string,
  declared: Record<string, string>,
): Promise<Record<string, string>> {
  const users: Record<string, string> = {};
  for (const line of text.split("\n").filter((each) => each !== "")) {
    const [name = "", hash = ""] = line.split(":");
    const password = declared[name];
    const verified = password !== undefined && !(name in users) && (await bcrypt.compare(password, hash));
    users[name] = verified ? password : "(an entry with another password)";
  }
  return users;
}
