import { isDeepStrictEqual } from "node:util";
import { dnsPaths } from "../../contract/dns.ts";
import { HostError } from "../errors.ts";
import { isMapping, readYaml, setInYaml, valueAt, type Yaml, type YamlMapping } from "./edit.ts";

/** What netplan says about the name servers of one device, and how its files are to be changed. Pure. */

/** A file of netplan; `/run` hides `/etc`, and `/etc` hides `/lib`, where the name is the same. */
export interface NetplanFile {
  readonly path: string;
  readonly text: string;
}

/** Name servers of a device. */
export interface DeviceDns {
  readonly servers: readonly string[];
  readonly searchDomains: readonly string[];
  /** Whether it takes those that a DHCP server names as well. */
  readonly takesFromDhcp: boolean;
}

/** Files to write (undefined: to remove), in this order. */
export type NetplanChange = readonly { readonly path: string; readonly text: string | undefined }[];

/** Kinds of devices that can have name servers. Source: netplan-yaml, "Properties for device types". */
const sections = [
  "ethernets",
  "wifis",
  "bonds",
  "bridges",
  "vlans",
  "modems",
  "tunnels",
  "vrfs",
  "dummy-devices",
];

const families = ["dhcp4", "dhcp6"] as const;
const fromDhcp = ["use-dns", "use-domains"] as const;
const own = dnsPaths.netplan;

/**
 * The device's name servers, as netplan merges them from its files: lists are appended to lists, anything else is
 * overwritten by the file whose name comes later.
 *
 * Errors: E_STATE where a file is no YAML.
 * Source: netplan doc/netplan-generate.md, "Handling multiple files"; src/parse.c (handle_nameservers_addresses).
 */
export function deviceDns(files: readonly NetplanFile[], device: string): DeviceDns {
  const parts = partsOf(files, device);
  const list = (key: string) => parts.flatMap(({ part }) => textsOf(valueAt(part, ["nameservers", key])));
  const servers = [...new Set(list("addresses"))];
  const last = (path: readonly string[]) =>
    parts.map(({ part }) => valueAt(part, path)).findLast((value) => value !== undefined);
  return {
    servers: [
      ...servers.filter((each) => !each.includes(":")),
      ...servers.filter((each) => each.includes(":")),
    ],
    searchDomains: [...new Set(list("search"))],
    takesFromDhcp: families.some(
      (family) => isTrue(last([family])) && !isFalse(last([`${family}-overrides`, "use-dns"])),
    ),
  };
}

/**
 * What to write so that the device has exactly these servers. A file of our own could only add to the list that another
 * file has, so that list itself is changed, in the one file that has it, by one rename. Only where no file has one, a
 * file of our own names them.
 *
 * Errors: E_STATE where one changed file is not enough.
 */
export function planDeviceDns(
  files: readonly NetplanFile[],
  device: string,
  wanted: DeviceDns,
): NetplanChange {
  assertDevice(files, device);
  const parts = partsOf(files, device);
  const [{ section } = { section: "ethernets" }] = parts;
  const definers = parts.filter(({ part, path }) => path !== own && hasServers(part)).map(({ path }) => path);
  const [definer = own, second] = definers;
  if (second !== undefined) {
    throw refusal(
      `${definers.join(" and ")} both name servers of ${device}, and netplan appends such lists. Keep them in one of the files, run \`netplan apply\`, then try again.`,
    );
  }
  if (!definer.startsWith("/etc/netplan/")) {
    throw refusal(
      `${definer} names the servers of ${device}, and does not belong to this host's own configuration. Move it to /etc/netplan, then try again.`,
    );
  }
  const before = files.find(({ path }) => path === definer && definer !== own)?.text ?? ownText();
  const device_ = ["network", section, device];
  const named = setInYaml(before, [...device_, "nameservers"], nameservers(wanted));
  const asked = families.filter((family) => parts.some(({ part }) => isTrue(valueAt(part, [family]))));
  const text = asked
    .flatMap((family) => fromDhcp.map((key) => [...device_, `${family}-overrides`, key]))
    .reduce((at, path) => setInYaml(at, path, "false"), named);
  const isOwnLeft = definer !== own && files.some(({ path }) => path === own);
  const change = [{ path: definer, text }, ...(isOwnLeft ? [{ path: own, text: undefined }] : [])];
  const reached = deviceDns(changed(files, change), device);
  const { servers, searchDomains } = wanted;
  if (isDeepStrictEqual(reached, { servers, searchDomains, takesFromDhcp: false })) return change;
  throw refusal(
    `with ${definer} changed, ${device} would have ${reached.servers.join(", ")}${reached.takesFromDhcp ? " and what DHCP names" : ""}: a file that netplan reads later says otherwise. Remove \`nameservers\` and \`use-dns\` of ${device} there, then try again.`,
  );
}

/** What this program wrote, and what was there before its first change. */
export interface Written {
  readonly path: string;
  /** Whether the file still is as it was written. */
  readonly isUnchanged: boolean;
  /** Undefined where there was no file. */
  readonly original: string | undefined;
}

/**
 * What to write so that the device has the former servers. Byte for byte the old file, unless anything else in it was
 * changed since: then the former keys come back, and the rest stays.
 */
export function planDeviceRestore(
  files: readonly NetplanFile[],
  device: string,
  { path, isUnchanged, original }: Written,
): NetplanChange {
  const current = files.find((file) => file.path === path)?.text;
  if (current === undefined || current === original) return [];
  if (original === undefined && isUnchanged) return [{ path, text: undefined }];
  const section = partsOf([{ path, text: current }], device)[0]?.section ?? "ethernets";
  const device_ = ["network", section, device];
  const keys = [
    [...device_, "nameservers"],
    ...families.flatMap((family) => fromDhcp.map((key) => [...device_, `${family}-overrides`, key])),
  ];
  const without = (text: string) => readYaml(keys.reduce((at, key) => setInYaml(at, key, undefined), text));
  if (original !== undefined && isDeepStrictEqual(without(original), without(current)))
    return [{ path, text: original }];
  const before = original === undefined ? {} : readYaml(original);
  return [{ path, text: keys.reduce((at, key) => setInYaml(at, key, valueAt(before, key)), current) }];
}

/** The files after a change. */
export function changed(files: readonly NetplanFile[], change: NetplanChange): NetplanFile[] {
  const isChanged = (path: string) => change.some((each) => each.path === path);
  return [
    ...files.filter(({ path }) => !isChanged(path)),
    ...change.flatMap(({ path, text }) => (text === undefined ? [] : [{ path, text }])),
  ];
}

/** What the files that count say about one device, in the order in which netplan reads them. */
function partsOf(files: readonly NetplanFile[], device: string): Part[] {
  const contents = inOrder(files).map(({ path, text }) => ({
    path,
    network: valueAt(parsed(path, text), ["network"]),
  }));
  return contents.flatMap(({ path, network }) =>
    sections.flatMap((section) => {
      const part = valueAt(network, [section, device]);
      return isMapping(part) ? [{ path, section, part }] : [];
    }),
  );
}

/** Errors: E_STATE where no file but ours names the device: it would be one that netplan does not know. */
function assertDevice(files: readonly NetplanFile[], device: string): void {
  const others = inOrder(files).filter(({ path }) => path !== own);
  if (partsOf(others, device).length > 0) return;
  const ids = others.flatMap(({ path, text }) =>
    sections.flatMap((section) => Object.keys(mappingAt(parsed(path, text), ["network", section]))),
  );
  const known = ids.length === 0 ? "They have none" : `They have ${[...new Set(ids)].join(", ")}`;
  throw refusal(
    `no file of netplan has the device ${device}. ${known}. Correct \`netplan\` in the configuration, or leave it out where the device is not netplan's.`,
  );
}

function mappingAt(value: Yaml, path: readonly string[]): YamlMapping {
  const found = valueAt(value, path);
  return isMapping(found) ? found : {};
}

interface Part {
  readonly path: string;
  readonly section: string;
  readonly part: YamlMapping;
}

const directories = ["/lib/netplan/", "/etc/netplan/", "/run/netplan/"];

function inOrder(files: readonly NetplanFile[]): NetplanFile[] {
  const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);
  const rank = (path: string) => directories.findIndex((directory) => path.startsWith(directory));
  const byName = new Map<string, NetplanFile>();
  for (const file of [...files].sort((a, b) => rank(a.path) - rank(b.path)))
    byName.set(nameOf(file.path), file);
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file);
}

function parsed(path: string, text: string): Yaml {
  try {
    return readYaml(text);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new HostError("E_STATE", `${path} is no YAML: ${message}. Correct it, then try again.`, { cause });
  }
}

function nameservers({ servers, searchDomains }: DeviceDns): Yaml {
  return { addresses: servers, ...(searchDomains.length === 0 ? {} : { search: searchDomains }) };
}

function hasServers(part: YamlMapping): boolean {
  return ["addresses", "search"].some((key) => textsOf(valueAt(part, ["nameservers", key])).length > 0);
}

function textsOf(value: Yaml | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

// Source: netplan src/parse.c, handle_generic_bool.
const isTrue = (value: Yaml | undefined) => ["true", "on", "yes", "y"].includes(String(value).toLowerCase());
const isFalse = (value: Yaml | undefined) =>
  ["false", "off", "no", "n"].includes(String(value).toLowerCase());

function ownText(): string {
  return "# Written by regwarden: a change made here shows as drift and is undone by the next update.\nnetwork:\n  version: 2\n";
}

function refusal(text: string): HostError {
  return new HostError("E_STATE", `netplan was not changed: ${text}`);
}
