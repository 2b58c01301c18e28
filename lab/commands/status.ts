import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type DaemonState, daemonStates } from "../cluster/daemons.ts";
import { hasCluster } from "../cluster/paths.ts";
import { hostOf, isHealthy, type LabHost } from "../host/host.ts";
import { containerState } from "../machine/docker-client.ts";
import { engineAnswers } from "../machine/docker-engine.ts";
import { addressesOf, type Instance } from "../machine/instances.ts";
import { bad, good, heading, print, table, utcMinute } from "../machine/screen.ts";
import { stackStateDirectory } from "../stack/environment.ts";
import { lastScan, scanLine } from "../stack/scan.ts";
import { exitCodes } from "./args.ts";

/** One line of the status. */
export interface StatusRow {
  readonly name: string;
  readonly state: string;
  readonly isGood: boolean;
}

/** The status of an instance: parts with their rows. */
export type Status = Readonly<Record<string, readonly StatusRow[]>>;

interface ContainerLine {
  readonly Names: string;
  readonly State: string;
  readonly Status: string;
}

/** Name that the provider gives to a foreign container whose name the stack needs; it is kept, and nothing uses it. */
const displaced = /\.displaced-\d{8}T\d{6}Z$/;

/** Containers of the host, from `docker ps --all --format json`: running and not unhealthy is good. */
export function serviceRows(output: string): StatusRow[] {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  const containers = lines.map((line) => JSON.parse(line) as ContainerLine);
  const rows = containers.map(({ Names, State, Status }) =>
    displaced.test(Names)
      ? { name: Names, state: `${Status}, renamed by an update that needed its name`, isGood: true }
      : { name: Names, state: Status, isGood: State === "running" && !Status.includes("unhealthy") },
  );
  return rows.sort((one, other) => one.name.localeCompare(other.name));
}

interface TimerLine {
  readonly unit: string;
  readonly next: number;
}

/** Timers of the stack, from `systemctl list-timers --output json`; `next` is in microseconds. */
export function timerRows(output: string): StatusRow[] {
  const timers = JSON.parse(output || "[]") as TimerLine[];
  return timers.map(({ unit, next }) => ({
    name: unit,
    state: next > 0 ? `next ${utcMinute(new Date(next / 1000))}` : "not waiting",
    isGood: next > 0,
  }));
}

async function hostRow(host: LabHost): Promise<StatusRow> {
  const state = await containerState(host.container);
  if (state === undefined) return { name: host.container, state: "not there", isGood: false };
  const healthy = state.status === "running" && (await isHealthy(host));
  const described = healthy ? `${host.address}, sshd and Docker answer` : `${state.status}, not healthy`;
  return { name: host.container, state: described, isGood: healthy };
}

async function upstreamRow(instance: Instance): Promise<StatusRow> {
  const name = addressesOf(instance).upstreamContainer;
  const state = (await containerState(name))?.status ?? "not there";
  return { name, state, isGood: state === "running" };
}

/** A daemon of the cluster or of its monitoring. */
export function daemonRow({ name, url, pid, answers }: DaemonState): StatusRow {
  if (pid === undefined) return { name, state: "does not run", isGood: false };
  return { name, state: `${url}, process ${pid}${answers ? "" : ", does not answer"}`, isGood: answers };
}

/** The stack, from the checkpoint of its file backend. Source: pulumi sdk/go/common/apitype, CheckpointV3. */
function stackRow(instance: Instance): StatusRow {
  const file = join(stackStateDirectory(instance), ".pulumi/stacks/regwarden", `${instance}.json`);
  try {
    const { latest } = JSON.parse(readFileSync(file, "utf8")).checkpoint;
    const resources = latest?.resources?.length ?? 0;
    return {
      name: instance,
      state: `${resources} resources, last update ${utcMinute(new Date(latest.manifest.time))}`,
      isGood: resources > 0,
    };
  } catch {
    return { name: instance, state: "not deployed", isGood: false };
  }
}

async function hostParts(host: LabHost): Promise<Status> {
  const services = await host.exec("docker ps --all --format json", { quiet: true, timeoutSeconds: 20 });
  const list = "systemctl list-timers --all --output json 'regwarden-*'";
  const timers = await host.exec(list, { quiet: true, timeoutSeconds: 20 });
  const scan = await lastScan(host);
  const isGood = scan?.complete === true && scan.critical === 0;
  const scanRow = {
    name: scan === undefined ? "none yet" : utcMinute(new Date(scan.finishedAt)),
    state: scan === undefined ? "" : scanLine(scan),
    isGood,
  };
  return { Services: serviceRows(services.stdout), Timers: timerRows(timers.stdout), "Last scan": [scanRow] };
}

/** The status of everything that belongs to an instance. */
async function statusOf(instance: Instance): Promise<Status> {
  const Stack = [stackRow(instance)];
  const cluster: Status = hasCluster(instance)
    ? { Cluster: (await daemonStates(instance)).map(daemonRow) }
    : {};
  if (!(await engineAnswers())) {
    return { Host: [{ name: "Docker engine", state: "does not answer", isGood: false }], ...cluster, Stack };
  }
  const host = await hostOf(instance);
  const absent = { name: addressesOf(instance).hostContainer, state: "not there", isGood: false };
  const row = host === undefined ? absent : await hostRow(host);
  const parts = host !== undefined && row.isGood ? await hostParts(host) : {};
  return { Host: [row, await upstreamRow(instance)], ...parts, ...cluster, Stack };
}

/** Whether all of it runs. Findings of a scan are no fault of the lab. */
export function isUp(status: Status): boolean {
  const parts = Object.entries(status).filter(([part]) => part !== "Last scan");
  return parts.every(([, rows]) => rows.length > 0 && rows.every((row) => row.isGood));
}

/** The status as people read it. */
function statusText(status: Status): string {
  const parts = Object.entries(status).map(([part, rows]) => {
    const lines = rows.map(({ name, state, isGood }) => [isGood ? good("●") : bad("●"), name, state]);
    return `${heading(part)}\n${rows.length === 0 ? `  ${bad("●")} none` : table(lines)}`;
  });
  return parts.join("\n");
}

/** Prints the status of an instance. Returns the exit code. */
export async function status(instance: Instance): Promise<number> {
  const found = await statusOf(instance);
  print(statusText(found));
  if (isUp(found)) return exitCodes.ok;
  print('\nNot everything runs. "npm run lab" brings up what is missing.');
  return exitCodes.failed;
}
