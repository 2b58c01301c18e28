import { harmfulJobs, listJobsFunction } from "../../contract/harmful-jobs.ts";
import type { UnmanagedThing } from "../../contract/unmanaged.ts";
import { HostError } from "../errors.ts";
import type { SshHost } from "../ssh/host.ts";

/** Readers of what lies on a host, one for each part. They change nothing, and throw where they could not check. */

/** Names of services and containers, with what they are known by. */
export interface Names {
  readonly declared: readonly string[];
  /** A thing with such a name passes for one of ours. */
  readonly prefixes: readonly string[];
}

/** Arguments: directories. A directory that is missing is no finding here: it is declared itself. */
const entriesScript = `set -eu
for directory; do
  [ -d "$directory" ] || continue
  find "$directory" -mindepth 1 -maxdepth 1 -printf '%y %p\\0'
done`;

const entryTypes: Readonly<Record<string, string>> = { f: "file", d: "directory", l: "symbolic link" };

/** What lies directly in the directories and at no declared path. */
export async function foreignFiles(
  host: SshHost,
  directories: readonly string[],
  declared: readonly string[],
): Promise<UnmanagedThing[]> {
  const { stdout } = await host.run(entriesScript, directories, { action: "list the managed directories" });
  const known = new Set(declared);
  return stdout
    .toString("utf8")
    .split("\0")
    .filter((entry) => entry !== "")
    .map((entry) => ({ name: entry.slice(2), detail: entryTypes[entry.charAt(0)] ?? "other" }))
    .filter(({ name }) => !known.has(name));
}

/** Arguments: project. Two lists: all containers, then the names of those in the project's networks. */
const containersScript = `set -eu
docker ps --all --format '{{.Names}}|{{.Image}}|{{.State}}|{{.Label "com.docker.compose.project"}}'
echo '-- in the networks --'
docker network ls --quiet --filter "label=com.docker.compose.project=$1" | while read -r network; do
  docker ps --all --filter "network=$network" --format '{{.Names}}'
done`;

/**
 * Containers in the project's networks or with a name like ours. One that carries the project's label is not among
 * them: it is drift of the project, and \`up\` removes it.
 */
export async function foreignContainers(
  host: SshHost,
  project: string,
  { declared, prefixes }: Names,
): Promise<UnmanagedThing[]> {
  const { stdout } = await host.run(containersScript, [project], { action: "list the containers" });
  const [all = "", inNetworks = ""] = stdout.toString("utf8").split("-- in the networks --\n");
  const attached = new Set(inNetworks.split("\n"));
  return linesOf(all)
    .map((line) => line.split("|"))
    .filter(([, , , itsProject]) => itsProject !== project)
    .filter(([name = ""]) => attached.has(name) || prefixes.some((prefix) => name.startsWith(prefix)))
    .filter(([name = ""]) => !declared.includes(name))
    .map(([name = "", image = "", state = ""]) => ({
      name,
      detail: `${image}, ${state}${attached.has(name) ? `, in the network of ${project}` : ""}`,
    }));
}

/** Installed units, then those that run without a file. All of them: a pattern that nothing matches is an error to some versions. */
const unitsScript = `set -eu
systemctl list-unit-files --no-legend --no-pager
systemctl list-units --all --plain --no-legend --no-pager`;

/** Units with a name like ours. */
export async function foreignUnits(host: SshHost, { declared, prefixes }: Names): Promise<UnmanagedThing[]> {
  const { stdout } = await host.run(unitsScript, [], { action: "list the units" });
  const found = new Map(
    linesOf(stdout.toString("utf8"))
      .map((line) => line.trim().split(/\s+/))
      .map(([name = "", state = ""]) => [name, state] as const)
      // The state of an installed unit says more than that it is loaded.
      .reverse(),
  );
  return [...found]
    .filter(([name]) => prefixes.some((prefix) => name.startsWith(prefix)) && !declared.includes(name))
    .map(([name, detail]) => ({ name, detail }));
}

const jobsScript = `set -eu
${listJobsFunction}
list_jobs`;

/** Length of a command in a message. */
const maxCommand = 200;

/** Scheduled jobs that take away what tags need, with their line. */
export async function foreignJobs(host: SshHost): Promise<UnmanagedThing[]> {
  const action = "list the scheduled jobs";
  const { stdout } = await host.run(jobsScript, [], { action });
  const jobs = harmfulJobs(stdout.toString("utf8"));
  if (jobs === undefined) throw new HostError("E_REMOTE", `${host.name}: ${action}: the listing was cut off`);
  return jobs.map(({ file, line, command, reason }) => ({
    name: `${file}:${line}`,
    detail: `${command.slice(0, maxCommand)} (${reason})`,
  }));
}

/** TCP sockets that listen: address and port in the fourth column, the program in the sixth. */
const portsScript = `command -v ss >/dev/null || { echo "ss (package iproute2) is not on the host" >&2; exit 1; }
exec ss --no-header --listening --tcp --numeric --processes`;

/** Ports that other machines may reach and that are not declared. */
export async function foreignPorts(host: SshHost, declared: readonly number[]): Promise<UnmanagedThing[]> {
  const { stdout } = await host.run(portsScript, [], { action: "list the listening ports" });
  const byPort = new Map<number, string>();
  for (const line of linesOf(stdout.toString("utf8"))) {
    const [, , , local = "", , users = ""] = line.trim().split(/\s+/);
    const [, address = "", port = ""] = /^(.*):(\d+)$/.exec(local) ?? [];
    if (port === "" || isLoopback(address) || declared.includes(Number(port))) continue;
    const [, program = "unknown program"] = /\(\("([^"]+)"/.exec(users) ?? [];
    byPort.set(Number(port), `${program} on ${address}`);
  }
  return [...byPort].sort(([a], [b]) => a - b).map(([port, detail]) => ({ name: `${port}/tcp`, detail }));
}

function isLoopback(address: string): boolean {
  return /^(127\.|\[?::1\]?(%|$)|\[::ffff:127\.)/.test(address);
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}
