import { execa } from "execa";
import { hostOf, type LabHost } from "../lab/host/host.ts";
import { nodeBinary, projectRoot } from "../lab/machine/paths.ts";
import { table } from "../lab/machine/screen.ts";
import { pulumiBinary } from "../lab/machine/tools/pulumi.ts";
import { pulumiEnvironment } from "../lab/stack/environment.ts";

const instance = "bench";
const runs = 5;

interface StackExport {
  readonly deployment: {
    readonly resources: readonly { readonly type: string; readonly inputs?: { path?: string } }[];
  };
}

/**
 * A drift run over the lab's stack when nothing differs, against asking for the same files one `ssh` at a time, in one
 * run on one machine. Brings up the lab's instance `bench` and leaves it to be removed.
 */
export async function benchDrift(): Promise<string> {
  await program("lab/main.ts", "up", "--no-cluster", "--instance", instance);
  const host = await hostOf(instance);
  if (!host) throw new Error(`the lab's instance ${instance} did not come up`);
  const resources = await managedResources();
  const paths = resources.flatMap(({ type, inputs }) =>
    type === "host:index:File" && inputs?.path ? [inputs.path] : [],
  );
  const before = await acceptedConnections(host);
  const drift = await median(() => program("engine/main.ts", "drift", "--stack", instance));
  const connections = ((await acceptedConnections(host)) - before) / runs;
  const oneByOne = await median(() => readOneByOne(host, paths));
  const rows = [
    ["managed resources that were checked", String(resources.length)],
    ["of them files", String(paths.length)],
    ["drift run, nothing differs, median of 5", `${drift.toFixed(2)} s`],
    ["SSH connections of one drift run", String(connections)],
    ["the same files by one `ssh` each, median of 5", `${oneByOne.toFixed(2)} s`],
    ["drift run / one by one", (drift / oneByOne).toFixed(2)],
  ];
  return `${table(rows)}\n`;
}

async function program(path: string, ...args: string[]): Promise<void> {
  await execa(nodeBinary, [path, ...args], { cwd: projectRoot });
}

async function managedResources(): Promise<StackExport["deployment"]["resources"]> {
  const options = { cwd: projectRoot, env: pulumiEnvironment(instance) };
  const { stdout } = await execa(pulumiBinary(), ["stack", "export", "--stack", instance], options);
  const { deployment } = JSON.parse(stdout) as StackExport;
  return deployment.resources.filter(({ type }) => type.startsWith("host:index:"));
}

async function acceptedConnections(host: LabHost): Promise<number> {
  const { stdout } = await host.exec("journalctl --unit ssh --no-pager | grep -c 'Accepted publickey'");
  return Number(stdout.trim());
}

async function readOneByOne(host: LabHost, paths: readonly string[]): Promise<void> {
  const flags = ["-i", host.privateKeyFile, "-p", String(host.sshPort), "-o", "StrictHostKeyChecking=no"];
  const quiet = ["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"];
  for (const path of paths) {
    await execa("ssh", [...flags, ...quiet, `root@${host.address}`, `stat '${path}' && sha256sum '${path}'`]);
  }
}

/** Seconds. */
async function median(work: () => Promise<void>): Promise<number> {
  const seconds: number[] = [];
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    await work();
    seconds.push((performance.now() - start) / 1000);
  }
  return seconds.sort((a, b) => a - b)[Math.floor(runs / 2)] ?? Number.NaN;
}
