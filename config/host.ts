import * as v from "valibot";
import { defaultDirectory, hostPaths } from "../contract/host-paths.ts";
import { privateRegistry } from "../contract/registries.ts";
import type { Fault } from "./faults.ts";
import { port, url } from "./formats.ts";
import { described, example, withDefault } from "./setting.ts";
import { address, hostKey, proxy, user } from "./ssh-address.ts";

/** The VM: how it is reached, where things lie on it. */

const socket = described(
  "the absolute path of an SSH agent's socket",
  v.pipe(v.string(), v.regex(/^\/\S+$/)),
);
// It ends up in shell lines, unit files and YAML: plain characters only, so that nothing needs quoting.
export const directory = described(
  "an absolute path of plain letters, digits, dots, dashes and underscores, without trailing slash",
  v.pipe(v.string(), v.regex(/^(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/)),
);

const proxyUrl = described(
  "the URL of an HTTP proxy: http or https, no credentials, no path",
  v.pipe(
    url,
    v.check((text) => URL.parse(text)?.pathname === "/"),
  ),
);
// They end up in an environment of compose: plain characters only, so that nothing needs quoting.
const noProxy = described(
  "a name, a domain that begins with a dot, an address or a network",
  v.pipe(v.string(), v.regex(/^[\w.*:/-]+$/)),
);
const outboundProxy = v.strictObject({
  url: example(proxyUrl, "http://proxy.example.lan:3128"),
  noProxy: v.optional(
    described("a list of names and networks", v.array(example(noProxy, ".example.lan"))),
    [],
  ),
});

const file = described(
  "an absolute path of plain letters, digits, dots, dashes and underscores",
  v.pipe(v.string(), v.regex(/^(\/[A-Za-z0-9_.-]*[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/)),
);
const tls = v.strictObject({
  certificate: example(file, "/etc/letsencrypt/live/registry.example.com/fullchain.pem"),
  privateKey: example(file, "/etc/letsencrypt/live/registry.example.com/privkey.pem"),
});

const mount = described(
  "the absolute path of a mount point on the VM, with the private registry's data (DIRECTORY/data/private) on it",
  directory,
);

const host = v.strictObject({
  address: example(address, "10.0.20.10"),
  sshPort: withDefault(port, 22),
  sshUser: withDefault(user, "root"),
  hostKey: v.optional(example(hostKey, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI...")),
  agentSocketPath: v.optional(example(socket, "/run/user/1000/agent")),
  directory: withDefault(directory, defaultDirectory),
  outboundProxy: v.optional(outboundProxy),
  tls: v.optional(tls),
  proxy: v.optional(proxy),
  dataMount: v.optional(example(mount, `${defaultDirectory}/data`)),
});

export const hostEntries = { host };

/** The data must lie on the mount point that is asked for, or the check of that would say nothing. */
export function dataMountFaults(settings: v.InferOutput<typeof host> | undefined): Fault[] {
  if (settings?.dataMount === undefined) return [];
  const { directory, dataMount } = settings;
  const data = hostPaths(directory).registryData(privateRegistry);
  if (data === dataMount || data.startsWith(`${dataMount}/`)) return [];
  return [
    {
      key: "host.dataMount",
      value: JSON.stringify(dataMount),
      rule: `${data} or a directory above it: there the private registry has its data`,
      example: hostPaths(directory).data,
    },
  ];
}

/** A connection needs a host key to compare with: from here, or from Vault. */
export function hostKeyFaults(
  settings: v.InferOutput<typeof host> | undefined,
  isFromVault: boolean,
): Fault[] {
  if (settings === undefined || settings.hostKey !== undefined || isFromVault) return [];
  return [
    {
      key: "host.hostKey",
      value: "(missing)",
      rule: "the VM's public host key: no connection is made to a host that was not verified",
      example: 'on the VM: cut -d" " -f1,2 /etc/ssh/ssh_host_ed25519_key.pub',
    },
  ];
}
