import * as v from "valibot";
import { backupDirectory } from "../../contract/host-paths.ts";
import { PartlyCreatedError } from "../errors.ts";
import { describeType, digestOf, ownershipOf, readEntry } from "../remote/entry.ts";
import { applyUnit, reloadSystemd, retireUnit, unitState } from "../remote/systemd.ts";
import { removeFile, writeFile } from "../remote/write.ts";
import type { SshHost } from "../ssh/host.ts";
import { absolutePath, backupsOf, changedNow, type ResourceKind, unknown } from "./kind.ts";

const schema = v.strictObject({
  name: v.pipe(
    v.string(),
    v.regex(/^[\w@.:-]+\.(service|timer|path|socket|target|mount)$/, "must be NAME.TYPE"),
  ),
  content: v.pipe(v.string(), v.endsWith("\n", "must end with a newline")),
  enabled: v.optional(v.boolean()),
  active: v.optional(v.boolean()),
  restartOnChange: v.boolean(),
  backupDirectory: v.optional(absolutePath, backupDirectory),
  mode: v.optional(v.literal("0644"), "0644"),
  type: v.optional(v.literal("file"), "file"),
  dropIns: v.optional(v.record(v.string(), v.string()), {}),
  loaded: v.optional(v.string(), "as on disk"),
});

interface Inputs {
  name: string;
  content: string;
  enabled?: boolean | undefined;
  active?: boolean | undefined;
  restartOnChange: boolean;
  backupDirectory: string;
  mode: string;
  type: string;
  /** Content by path: none should be there. */
  dropIns: Record<string, string>;
  /** Whether systemd runs the text that is on disk. */
  loaded: string;
}

/**
 * Text that systemd would refuse never takes the place of the old one. Before systemd 250 the option is not known, and
 * the exit code is about the unit itself anyway. Tried with 247 (Debian 11) and 257.
 */
const verify =
  `scratch=$(mktemp -d) && cp {} "$scratch/NAME" || exit 1` +
  `; option=; if systemd-analyze --help 2>&1 | grep -q -e --recursive-errors; then option=--recursive-errors=no; fi` +
  `; systemd-analyze verify --man=no $option "$scratch/NAME"; code=$?; rm -r -- "$scratch"; exit $code`;

/** A unit of systemd: see `SystemdUnit` in resources.ts. */
export const systemdUnit: ResourceKind<Inputs> = {
  schema,
  replaceOn: ["name"],
  settings: ["restartOnChange", "backupDirectory"],

  // Whether it is enabled or active is declared of some units only.
  inTermsOf({ enabled, active, ...old }, declared) {
    return {
      ...old,
      ...(declared.enabled === undefined || enabled === undefined ? {} : { enabled }),
      ...(declared.active === undefined || active === undefined ? {} : { active }),
    };
  },

  async create(host, inputs) {
    await put(host, inputs);
    const outputs = { ...inputs, ...changedNow() };
    try {
      await applyUnit(host, inputs.name, { ...inputs, restart: inputs.restartOnChange, dropIns: [] });
    } catch (error) {
      throw new PartlyCreatedError(inputs.name, outputs, error);
    }
    return { id: inputs.name, outputs };
  },

  async read(host, id, { inputs: declared, outputs }) {
    const known = declared === undefined ? "" : digestOf(declared.content);
    const [entry, state] = await Promise.all([readEntry(host, pathOf(id), known), unitState(host, id)]);
    if (entry.type === "gone") return undefined;
    const content =
      entry.type !== "file" ? "" : entry.sha256 === known ? declared?.content : entry.bytes?.toString("utf8");
    const inputs: Inputs = {
      name: id,
      content: content ?? "(too large to show)",
      ...(declared && declared.enabled === undefined ? {} : { enabled: state.enabled }),
      ...(declared && declared.active === undefined ? {} : { active: state.active }),
      restartOnChange: declared?.restartOnChange ?? false,
      backupDirectory: declared?.backupDirectory ?? backupDirectory,
      mode: ownershipOf(entry, undefined).mode,
      type: describeType(entry),
      dropIns: { ...state.dropIns },
      loaded: state.needsReload ? "daemon-reload pending" : "as on disk",
    };
    return { inputs, outputs: { ...outputs, ...inputs } };
  },

  async update(host, id, old, inputs) {
    const fields = ["content", "mode", "type"] as const;
    const dropIns = Object.keys(old.inputs.dropIns);
    const textChanged = old.inputs.content !== inputs.content || dropIns.length > 0;
    if (fields.some((field) => old.inputs[field] !== inputs[field])) await put(host, inputs);
    await applyUnit(host, id, { ...inputs, restart: inputs.restartOnChange && textChanged, dropIns });
    return { ...inputs, ...changedNow() };
  },

  missing: (name) => ({
    ...{ name, content: "", mode: "", type: "gone", dropIns: {}, loaded: "as on disk" },
    ...{ restartOnChange: false, backupDirectory },
  }),

  preview: (inputs) => ({ ...inputs, changedAt: unknown }),

  async remove(host, id, { inputs }) {
    await retireUnit(host, id);
    const warning = await removeFile(host, pathOf(id), { backups: backupsOf(inputs, inputs) });
    await reloadSystemd(host);
    return warning;
  },
};

function pathOf(name: string): string {
  return `/etc/systemd/system/${name}`;
}

async function put(host: SshHost, inputs: Inputs): Promise<void> {
  const { name, content, mode } = inputs;
  const validate = verify.replaceAll("NAME", name);
  await writeFile(host, {
    path: pathOf(name),
    content,
    mode,
    owner: "root",
    group: "root",
    validate,
    backups: backupsOf(inputs, inputs),
  });
}
