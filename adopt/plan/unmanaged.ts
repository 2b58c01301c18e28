import { publishedPorts } from "../../components/host/render/nginx-config.ts";
import type { RegistrySettings } from "../../components/host/settings.ts";
import { registryNames } from "../../components/host/settings.ts";
import { hostPaths } from "../../contract/host-paths.ts";
import { privateRegistry } from "../../contract/registries.ts";
import type { HostFacts } from "../facts.ts";

/** Something on the VM that the stack leaves as it is. */
export interface UnmanagedThing {
  readonly kind: "file" | "container" | "job" | "timer" | "port" | "dns";
  readonly name: string;
  readonly note: string;
}

/** What the stack does not manage, with what becomes of it. */
export function unmanagedThings(facts: HostFacts, settings: RegistrySettings): UnmanagedThing[] {
  return [
    ...files(facts, settings),
    ...containers(facts),
    ...facts.cronLines.filter(isOurBusiness).map(({ file, number, line }) => ({
      kind: "job" as const,
      name: `${file}:${number}`,
      note: line.trim(),
    })),
    ...timers(facts),
    ...ports(facts, settings),
    ...dns(facts),
  ];
}

/** Harmful lines are disabled by the first update; of the others only those about containers are of interest. */
function isOurBusiness({ harm, line }: HostFacts["cronLines"][number]): boolean {
  return harm === undefined && /docker|registry/i.test(line);
}

function files({ directory, entries }: HostFacts, settings: RegistrySettings): UnmanagedThing[] {
  const paths = hostPaths(directory);
  const own = new Set([
    paths.composeFile,
    paths.nginx,
    paths.nginxConfig,
    paths.auth,
    paths.htpasswd,
    paths.tls,
    paths.certificate,
    paths.privateKey,
    paths.authority,
    paths.programs,
    paths.data,
    ...registryNames(settings).flatMap((name) => [paths.registryConfig(name), paths.registryData(name)]),
  ]);
  return (
    entries
      .filter(({ path }) => !own.has(path) && !path.startsWith(`${paths.programs}/`))
      // What lies deeper belongs to what is named already.
      .filter(
        ({ path }) => !entries.some((other) => !own.has(other.path) && path.startsWith(`${other.path}/`)),
      )
      .map(({ path, type }) => ({ kind: "file", name: path, note: noteOf(path, type, directory) }))
  );
}

function noteOf(path: string, type: string, directory: string): string {
  if (/(cleanup-tags|fix-broken-blobs)/.test(path))
    return "run by a former job; may go when the jobs are disabled";
  if (path === `${directory}/nginx.conf` || path === `${directory}/htpasswd`)
    return "the stack has its own elsewhere; needed for the way back";
  if (path.startsWith(`${directory}/data/${privateRegistry}/`)) return "beside the store; kept";
  return type === "d" ? "a directory; left alone" : "left alone";
}

function containers({ containers: all }: HostFacts): UnmanagedThing[] {
  return all
    .filter(({ labels }) => labels["com.docker.compose.project"] !== "registry")
    .map(({ name, image, state }) => ({ kind: "container", name, note: `${image}, ${state}; left alone` }));
}

const systemTimers =
  /^(apt-|dpkg-|e2scrub|fstrim|fwupd|logrotate|man-db|motd-|systemd-|ua-|update-|snapd|phpsession|regwarden-)/;

function timers({ timers: all }: HostFacts): UnmanagedThing[] {
  return all
    .filter((name) => !systemTimers.test(name))
    .map((name) => ({ kind: "timer", name, note: "left alone" }));
}

function ports({ ports: all }: HostFacts, settings: RegistrySettings): UnmanagedThing[] {
  const own = publishedPorts(settings);
  return all
    .filter(({ port, program }) => !own.includes(port) && program !== "sshd" && port !== 22)
    .map(({ port, program }) => ({
      kind: "port",
      name: `${port}/tcp`,
      note: `${program}; closed where a container that goes published it`,
    }));
}

function dns({ dns: { servers, searchDomains, files: where } }: HostFacts): UnmanagedThing[] {
  if (servers.length === 0) return [];
  const domains = searchDomains.length === 0 ? "" : `, search ${searchDomains.join(" ")}`;
  return [
    {
      kind: "dns",
      name: servers.join(", "),
      note: `set in ${where.join(", ")}${domains}; left alone unless \`dns\` is configured`,
    },
  ];
}
