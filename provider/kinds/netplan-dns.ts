import { isDeepStrictEqual } from "node:util";
import * as v from "valibot";
import { dnsOriginal, dnsPaths } from "../../contract/dns.ts";
import {
  type DeviceDns,
  deviceDns,
  type NetplanChange,
  planDeviceDns,
  planDeviceRestore,
} from "../netplan/plan.ts";
import { digestOf, readEntry } from "../remote/entry.ts";
import { type FoundNetplan, readNetplan, switchNetplan } from "../remote/netplan.ts";
import type { SshHost } from "../ssh/host.ts";
import { changedNow, type ResourceKind, unknown } from "./kind.ts";

const asInFiles = "as in the files";

const schema = v.strictObject({
  device: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/, "must be the id of a device")),
  servers: v.pipe(
    v.array(v.pipe(v.string(), v.ip("must be an address"))),
    v.minLength(1, "must not be empty"),
  ),
  searchDomains: v.array(v.string()),
  name: v.optional(v.string()),
  takesFromDhcp: v.optional(v.literal(false), false),
  runs: v.optional(v.literal(asInFiles), asInFiles),
});

interface Inputs {
  device: string;
  servers: string[];
  searchDomains: string[];
  /** That must resolve after a change. */
  name?: string | undefined;
  /** Whether servers that DHCP names come on top. */
  takesFromDhcp: boolean;
  /** Whether the device runs with what the files say, or what it has instead. */
  runs: string;
}

const written = v.record(v.string(), v.string());

/** Name servers of a device of netplan: see `NetplanDns` in resources.ts. */
export const netplanDns: ResourceKind<Inputs> = {
  schema,
  replaceOn: ["device"],
  deleteBeforeReplace: true,
  settings: ["name"],

  async create(host, inputs) {
    return {
      id: inputs.device,
      outputs: { ...inputs, written: await put(host, inputs, {}), ...changedNow() },
    };
  },

  async read(host, id, { inputs: declared, outputs }) {
    const found = await readNetplan(host, id);
    const inputs: Inputs = {
      ...declared,
      device: id,
      ...inBags(deviceDns(found.files, id)),
      runs: runningText(found, id),
    };
    return { inputs, outputs: { ...outputs, ...inputs } };
  },

  async update(host, _id, { outputs }, inputs) {
    return { ...inputs, written: await put(host, inputs, writtenIn(outputs)), ...changedNow() };
  },

  preview: (inputs) => ({ ...inputs, written: unknown, changedAt: unknown }),

  async remove(host, id, { outputs }) {
    const { files } = await readNetplan(host, id);
    const originals = await Promise.all(
      Object.entries(writtenIn(outputs)).map(async ([path, sha256]) => {
        const current = files.find((file) => file.path === path)?.text;
        const isUnchanged = current !== undefined && digestOf(current) === sha256;
        return { path, isUnchanged, original: await originalOf(host, path) };
      }),
    );
    const [known, unknownOnes] = [true, false].map((isKnown) =>
      originals.filter(
        ({ path, original }) => (original !== undefined || path === dnsPaths.netplan) === isKnown,
      ),
    );
    // Each file is restored by itself: what one says is in no other.
    const change: NetplanChange = (known ?? []).flatMap((each) => planDeviceRestore(files, id, each));
    if (change.length > 0)
      await switchNetplan(host, { device: id, change, servers: undefined, name: undefined });
    const left = (unknownOnes ?? []).map(({ path }) => path);
    return left.length === 0
      ? undefined
      : `${left.join(", ")}: left as it is: there is no copy of what was there before`;
  },
};

/** Changes what has to be changed. Returns the SHA-256 of each file that was ever written, by path. */
async function put(
  host: SshHost,
  { device, servers, searchDomains, name }: Inputs,
  before: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const found = await readNetplan(host, device);
  const change = planDeviceDns(found.files, device, { servers, searchDomains, takesFromDhcp: false });
  const isThere = change.every(
    ({ path, text }) => found.files.find((file) => file.path === path)?.text === text,
  );
  if (!isThere || runningText(found, device) !== asInFiles)
    await switchNetplan(host, { device, change, servers, name });
  const texts = change.flatMap(({ path, text }) =>
    text === undefined ? [] : [[path, digestOf(text)] as const],
  );
  return { ...before, ...Object.fromEntries(texts) };
}

function writtenIn(outputs: Readonly<Record<string, unknown>>): Record<string, string> {
  return v.is(written, outputs.written) ? outputs.written : {};
}

async function originalOf(host: SshHost, path: string): Promise<string | undefined> {
  const entry = await readEntry(host, dnsOriginal(path));
  return entry.type === "file" ? entry.bytes?.toString("utf8") : undefined;
}

function runningText({ files, runs }: FoundNetplan, device: string): string {
  const { servers, searchDomains } = deviceDns(files, device);
  if (runs === undefined) return "not known to systemd-resolved";
  if (isDeepStrictEqual(runs, { servers, searchDomains })) return asInFiles;
  return `${runs.servers.join(" ") || "no servers"}; ${runs.searchDomains.join(" ") || "no search domains"}`;
}

function inBags({ servers, searchDomains, takesFromDhcp }: DeviceDns) {
  return { servers: [...servers], searchDomains: [...searchDomains], takesFromDhcp };
}
