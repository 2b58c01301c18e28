import { units } from "../../contract/host-names.ts";
import { HostError, messageOf } from "../../provider/errors.ts";
import { foreignPorts } from "../../provider/remote/unmanaged.ts";
import type { SshHost } from "../../provider/ssh/host.ts";
import type { HostFacts, PortFact } from "../facts.ts";
import { containersOf, containersScript } from "./containers.ts";
import {
  certificatesScript,
  entriesOf,
  entriesScript,
  mountsScript,
  textsScript,
  usersScript,
} from "./files.ts";
import { cronLinesOf, cronScript, jobsScript, otherJobsOf } from "./jobs.ts";
import { pairsOf, recordsOf } from "./records.ts";
import { dnsOf, dnsScript, systemOf, systemScript, timersScript, unitsOf, unitsScript } from "./system.ts";

/** Texts larger than this are no configuration. */
const textLimitBytes = 256 * 1024;

/**
 * Reads a host; nothing on it is changed or written.
 *
 * Errors: HostError, with all parts that could not be read: from half of the facts no configuration is made.
 */
export async function readHost(host: SshHost, directory: string): Promise<HostFacts> {
  const read = async <T>(
    what: string,
    script: string,
    args: readonly string[],
    parse: (output: Buffer) => T,
  ): Promise<T> => {
    const action = `read ${what}`;
    const { stdout } = await host.run(script, args, { action });
    try {
      return parse(stdout);
    } catch (cause) {
      throw new HostError("E_REMOTE", `${host.name}: ${action}: ${messageOf(cause)}. Run it again.`, {
        cause,
      });
    }
  };
  // First: without the directory there is nothing to adopt, and one message is enough.
  const entries = await read("the registry's files", entriesScript, ["", directory], (output) =>
    entriesOf(directory, output),
  );
  const files = entries.filter(({ type, sizeBytes }) => "fl".includes(type) && sizeBytes <= textLimitBytes);
  const named = (pattern: RegExp) => files.map(({ path }) => path).filter((path) => pattern.test(path));
  const parts = {
    system: read("what the machine is", systemScript, [""], systemOf),
    mounts: read("the mount points", mountsScript, ["", directory], (output) => recordsOf(output, 1).flat()),
    texts: read(
      "the configuration",
      textsScript,
      ["", ...named(/\/[^/]*\.(ya?ml|conf|env)$|\/\.env$/)],
      pairsOf,
    ),
    users: read("the names of accounts", usersScript, ["", ...named(/htpasswd[^/]*$/)], usersOf),
    certificates: read("the certificates", certificatesScript, ["", ...named(/\.(pem|crt|cer)$/)], pairsOf),
    docker: read("containers and images", containersScript, [], containersOf),
    cronLines: read("the crontabs", cronScript, [""], (output) => cronLinesOf(output)),
    otherJobs: read("the scheduled jobs", jobsScript, [""], (output) => otherJobsOf(output)),
    units: read("the units", unitsScript, Object.values(units), unitsOf),
    timers: read("the timers", timersScript, [], (output) => recordsOf(output, 1).flat()),
    ports: foreignPorts(host, []).then((found) => found.map(portOf)),
    dns: read("the DNS servers", dnsScript, [""], dnsOf),
  };
  await allOrEveryReason(host, Object.values(parts));
  const { containers, images } = await parts.docker;
  const pem = await parts.certificates;
  return {
    directory,
    entries,
    system: await parts.system,
    dataMount: deepest(await parts.mounts, `${directory}/data/private`),
    texts: await parts.texts,
    users: await parts.users,
    certificates: new Map([...pem].filter(([, text]) => text.includes("BEGIN CERTIFICATE"))),
    containers,
    images,
    cronLines: await parts.cronLines,
    otherJobs: await parts.otherJobs,
    units: await parts.units,
    timers: await parts.timers,
    ports: await parts.ports,
    dns: await parts.dns,
  };
}

/** Errors: HostError with the reasons of all parts that failed. */
async function allOrEveryReason(host: SshHost, parts: readonly Promise<unknown>[]): Promise<void> {
  const settled = await Promise.allSettled(parts);
  const reasons = settled.flatMap((each) => (each.status === "rejected" ? [messageOf(each.reason)] : []));
  if (reasons.length === 0) return;
  throw new HostError("E_REMOTE", `${host.name}: could not read everything:\n  ${reasons.join("\n  ")}`);
}

function usersOf(output: Buffer): Map<string, readonly string[]> {
  return new Map(
    [...pairsOf(output)].map(([path, text]) => [path, text.split("\n").filter((name) => name !== "")]),
  );
}

function portOf({ name, detail }: { readonly name: string; readonly detail: string }): PortFact {
  return { port: Number(name.split("/")[0]), program: detail.split(" on ")[0] ?? detail };
}

/** The mount point that a path lies on, of these; undefined where it lies on none. */
function deepest(mounts: readonly string[], path: string): string | undefined {
  return mounts
    .filter((mount) => path === mount || path.startsWith(`${mount}/`))
    .sort((a, b) => b.length - a.length)[0];
}
