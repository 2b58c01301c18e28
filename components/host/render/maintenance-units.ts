import { accessLogDirectory, accessLogPath } from "../../../contract/access-log.ts";
import { composeNetwork, containers, units } from "../../../contract/host-names.ts";
import { hostPaths, maintenanceFiles, ownDirectory, reportDirectory } from "../../../contract/host-paths.ts";
import { inUseReference, privateRegistry } from "../../../contract/registries.ts";
import { freezeDirectory, freezeFlag } from "../../../contract/write-freeze.ts";
import type { MaintenanceMode, RegistrySettings } from "../settings.ts";
import { dockerClientSandbox } from "./hardening.ts";
import { MANAGED_BY } from "./managed-by.ts";
import { programCommand, REPORT_MOUNT, removeContainer } from "./sandbox.ts";
import { timerUnit } from "./timer.ts";
import { freezeFlags } from "./write-freeze.ts";

/*
 * What keeps the store small: retention drops tags, the collection moves what no tag needs into a quarantine, the purge
 * removes that for good. Each program takes the lock of the store; by their order, none waits for another's.
 */

/** Runs as the owner of the store: it writes what the registry writes, and reads a log that is root's alone. */
const OWNER = "0:0";

/** The data under its own path, as a person at the host has it: hints in what is printed can be typed. */
export function maintainedDirectory({
  directory,
  dataMount,
}: Pick<RegistrySettings, "directory" | "dataMount">): string {
  const { data, registryData } = hostPaths(directory);
  // Things are moved within one file system only.
  return dataMount === registryData(privateRegistry) ? dataMount : data;
}

/** Lines of the options by which a run knows what is in use. */
function inUseOptions({ inUseAs }: RegistrySettings): string[] {
  if (inUseAs === undefined) return [];
  const { repository, tag } = inUseReference;
  return [`--in-use tag:${privateRegistry}/${repository}:${tag} --instance ${inUseAs}`];
}

/** Whose containers hold writes while they remove. */
const holders = [containers.retain, containers.collect];

interface Run {
  readonly description: string;
  readonly container: string;
  readonly mode: MaintenanceMode;
  /** Of the program, in groups. */
  readonly command: readonly string[];
  /** Another command of it, whose failure does not keep that one from running. */
  readonly before?: readonly string[];
  /** What it writes of the data, when it does not remove: all of it is read-only else. */
  readonly writes?: readonly string[];
  readonly volumes?: readonly string[];
  readonly after: readonly string[];
  /** More lines of `[Unit]`. */
  readonly unit?: readonly string[];
  /** Holds writes while it removes: at its end, however it ends, they go on. */
  readonly freezes?: boolean;
}

/** A program in a container of its own, as a unit runs it. */
function program(settings: RegistrySettings, run: Run): string {
  const data = maintainedDirectory(settings);
  const access = run.mode === "apply" ? "" : ":ro";
  const hold = holdsWrites(run);
  return programCommand(settings, {
    // By its name in the containers' network.
    command: [
      ...run.command,
      ...(hold ? [freezeFlags(`${containers.nginx}:${settings.metrics.port}`)] : []),
    ].join(" "),
    network: hold ? composeNetwork : "none",
    volumes: [
      `${data}:${data}${access}`,
      ...(run.mode === "apply" ? [] : (run.writes ?? [])).map((path) => `${path}:${path}`),
      `${accessLogDirectory}:${accessLogDirectory}:ro`,
      ...(run.volumes ?? []),
      ...(hold ? [`${freezeDirectory}:${freezeDirectory}`] : []),
      `${reportDirectory}:${REPORT_MOUNT}`,
    ],
    // The report directory belongs to the programs' own account.
    options: [`--cap-add DAC_OVERRIDE --name ${run.container} --memory 1g`],
    user: OWNER,
  });
}

const holdsWrites = ({ mode, freezes = false }: Run) => freezes && mode === "apply";

/** A plan with removals is exit code 1, and no failure where no more was asked for. */
const planned = (mode: MaintenanceMode) => (mode === "plan" ? "SuccessExitStatus=1\n" : "");

function oneshot(settings: RegistrySettings, run: Run): string {
  const { unit = [], before } = run;
  const hold = holdsWrites(run);
  const starts = [`ExecStart=/usr/bin/${program(settings, run)}`];
  if (before) starts.unshift(`ExecStart=-/usr/bin/${program(settings, { ...run, command: before })}`);
  return `# ${MANAGED_BY}
[Unit]
Description=${run.description}
After=${["docker.service", ...run.after].join(" ")}
Requires=docker.service
StartLimitIntervalSec=0
${unit.map((line) => `${line}\n`).join("")}
[Service]
Type=oneshot
ExecStartPre=-${removeContainer(run.container)}
${starts.join("\n")}
ExecStopPost=-${removeContainer(run.container)}
${hold ? `ExecStopPost=-${unfreeze}\n` : ""}${planned(run.mode)}TimeoutStartSec=12h

${dockerClientSandbox}${hold ? `ReadWritePaths=${freezeDirectory}\n` : ""}`;
}

/**
 * Lets writes go on at once, unless a container that holds them may be at work: the unit's own, which is removed before, where
 * Docker's engine does not answer; or the other one's, for whose lock this unit waited in vain. While it moves blobs it would
 * write the flag anew, and writes would come between. Its lease ends by itself.
 */
const unfreeze = `/bin/sh -c "${[
  ...holders.map((container) => `docker top ${container} >/dev/null 2>&1`),
  "! docker version >/dev/null 2>&1",
  `rm -f ${freezeFlag}`,
].join(" || ")}"`;

const apply = (mode: MaintenanceMode) => (mode === "apply" ? ["--apply"] : []);
const metrics = (file: string) => `--metrics ${REPORT_MOUNT}/${file}`;

/** The rules of retention, by which the collection keeps overwritten digests. */
function rulesMount({ directory }: RegistrySettings): string {
  const { retentionRules } = hostPaths(directory);
  return `${retentionRules}:${retentionRules}:ro`;
}

/** Which tags stay, by the rules of the configuration. */
export function retainUnit(settings: RegistrySettings): string {
  const { mode } = settings.retention;
  const rules = hostPaths(settings.directory).retentionRules;
  return oneshot(settings, {
    description: "Retention: which tags of the registry stay",
    container: containers.retain,
    mode,
    command: [
      `retain ${maintainedDirectory(settings)} --registry ${privateRegistry} --rules ${rules}`,
      ...inUseOptions(settings),
      `--access-log ${accessLogPath}`,
      metrics(maintenanceFiles.retain),
      ...apply(mode),
    ],
    volumes: [rulesMount(settings)],
    after: [units.scan],
    freezes: true,
  });
}

function gc(settings: RegistrySettings): string[] {
  const { deadFor, grace, overwritten, budget } = settings.collection;
  return [
    `gc ${maintainedDirectory(settings)} --registry ${privateRegistry}`,
    `--dead-for ${deadFor} --grace ${grace} --overwritten ${overwritten} --budget ${budget}`,
    `--rules ${hostPaths(settings.directory).retentionRules}`,
    ...inUseOptions(settings),
  ];
}

/** The ledger, in which a mark writes what is dead since when. */
function ledgerDirectory(settings: RegistrySettings): string {
  return `${maintainedDirectory(settings)}/${ownDirectory}`;
}

/** Finds what no tag needs, and plans: nothing goes. */
export function markUnit(settings: RegistrySettings): string {
  return oneshot(settings, {
    description: "Mark of what no tag of the registry needs",
    container: containers.mark,
    mode: "plan",
    command: [...gc(settings), metrics(maintenanceFiles.collect)],
    writes: [ledgerDirectory(settings)],
    volumes: [rulesMount(settings)],
    after: [units.scan, units.retain],
  });
}

/** Moves what no tag needs into the quarantine, with writes held for the last seconds of it. */
export function collectUnit(settings: RegistrySettings): string {
  const { mode } = settings.collection;
  return oneshot(settings, {
    description: "Collection of what no tag of the registry needs",
    container: containers.collect,
    mode,
    command: [
      ...gc(settings),
      metrics(maintenanceFiles.collect),
      ...(mode === "apply" ? [`--access-log ${accessLogPath}`] : []),
      ...apply(mode),
    ],
    writes: [ledgerDirectory(settings)],
    volumes: [rulesMount(settings)],
    after: [units.scan, units.retain, units.mark],
    // Whatever became of it, the store is scanned; only after one that worked, old runs are removed.
    unit: [`OnSuccess=${units.scan} ${units.purge}`, `OnFailure=${units.scan}`],
    freezes: true,
  });
}

/** Removes for good what has been in the quarantine for long, and puts back what is needed again. */
export function purgeUnit(settings: RegistrySettings): string {
  const { mode, quarantineDays } = settings.collection;
  return oneshot(settings, {
    description: "Purge of the quarantine of the registry",
    container: containers.purge,
    mode,
    command: [...gc(settings), `--purge ${quarantineDays}d`, metrics(maintenanceFiles.purge), ...apply(mode)],
    before: [`retain ${maintainedDirectory(settings)} --purge ${quarantineDays}d`, ...apply(mode)],
    writes: [ledgerDirectory(settings)],
    volumes: [rulesMount(settings)],
    after: [units.scan, units.retain, units.mark, units.collect],
  });
}

/** Puts back at once what a client misses. */
export function restoreUnit(settings: RegistrySettings): string {
  const run = program(settings, {
    description: "",
    container: containers.restore,
    mode: "apply",
    command: [
      `gc ${maintainedDirectory(settings)} --registry ${privateRegistry} --watch`,
      `--access-log ${accessLogPath}`,
      metrics(maintenanceFiles.restore),
    ],
    after: [],
  });
  return `# ${MANAGED_BY}
[Unit]
Description=Return of what clients of the registry miss from the quarantine
After=docker.service
Requires=docker.service
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStartPre=-${removeContainer(containers.restore)}
ExecStart=/usr/bin/${run}
ExecStopPost=-${removeContainer(containers.restore)}
Restart=always
RestartSec=10

${dockerClientSandbox}
[Install]
WantedBy=multi-user.target
`;
}

/** Starts a unit of these at its times, and after a boot when it was missed. */
export function maintenanceTimer(description: string, onCalendar: string): string {
  return timerUnit(description, `OnCalendar=${onCalendar}`, "Persistent=true", "AccuracySec=1s");
}
