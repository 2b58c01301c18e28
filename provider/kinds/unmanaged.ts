import * as v from "valibot";
import type { UnmanagedKind, UnmanagedPart, UnmanagedThing } from "../../contract/unmanaged.ts";
import { HostError } from "../errors.ts";
import {
  foreignContainers,
  foreignFiles,
  foreignJobs,
  foreignPorts,
  foreignUnits,
} from "../remote/unmanaged.ts";
import type { SshHost } from "../ssh/host.ts";
import { absolutePath, changedNow, type ResourceKind, unknown } from "./kind.ts";

const names = v.strictObject({ declared: v.array(v.string()), prefixes: v.array(v.string()) });

const schema = v.strictObject({
  directories: v.array(absolutePath),
  paths: v.array(absolutePath),
  project: v.string(),
  containers: names,
  units: names,
  ports: v.array(v.number()),
  allow: v.array(v.string()),
});

type Inputs = v.InferOutput<typeof schema>;

/** What is on the host and not declared: see `Unmanaged` in resources.ts. Its finding is an output, never a difference. */
export const unmanaged: ResourceKind<Inputs> = {
  schema,
  replaceOn: [],
  settings: [],

  // What else an update is just making would be found: the first reading is that of the next refresh.
  create: async () => ({ id: "unmanaged", outputs: { parts: [], ...changedNow() } }),

  async read(host, _id, { inputs, outputs }) {
    if (inputs === undefined) return undefined;
    return { inputs, outputs: { ...outputs, parts: await readParts(host, inputs) } };
  },

  update: async (_host, _id, { outputs }) => ({ parts: outputs.parts ?? [], ...changedNow() }),
  preview: () => ({ parts: unknown, changedAt: unknown }),
  remove: async () => undefined,
};

async function readParts(host: SshHost, inputs: Inputs): Promise<UnmanagedPart[]> {
  const { directories, paths, project, containers, units, ports, allow } = inputs;
  const readers: Readonly<Record<UnmanagedKind, () => Promise<UnmanagedThing[]>>> = {
    file: () => foreignFiles(host, directories, paths),
    container: () => foreignContainers(host, project, containers),
    unit: () => foreignUnits(host, units),
    job: () => foreignJobs(host),
    port: () => foreignPorts(host, ports),
  };
  const kinds = Object.keys(readers) as UnmanagedKind[];
  return await Promise.all(kinds.map((kind) => readPart(kind, readers[kind], allow)));
}

/** One part that cannot be checked hides no other. A host that cannot be reached is a failed read, as for all resources. */
async function readPart(
  kind: UnmanagedKind,
  reader: () => Promise<UnmanagedThing[]>,
  allow: readonly string[],
): Promise<UnmanagedPart> {
  try {
    const found = (await reader()).filter(({ name }) => kind === "job" || !isAllowed(kind, name, allow));
    return { kind, found: found.sort((a, b) => (a.name < b.name ? -1 : 1)) };
  } catch (error) {
    if (!(error instanceof HostError) || error.code !== "E_REMOTE") throw error;
    return { kind, found: [], unchecked: error.message };
  }
}

/** Patterns are `KIND:NAME`, where `*` stands for any text. */
function isAllowed(kind: UnmanagedKind, name: string, allow: readonly string[]): boolean {
  return allow.some((pattern) => {
    const parts = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`, "s").test(`${kind}:${name}`);
  });
}
