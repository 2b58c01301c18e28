import { HostError } from "../errors.ts";
import type { SshHost } from "../ssh/host.ts";
import { readEntry } from "./entry.ts";

/** State of a unit in systemd's eyes. */
export interface UnitState {
  readonly enabled: boolean;
  readonly active: boolean;
  /** The unit's text on disk is newer than what systemd runs. */
  readonly needsReload: boolean;
  /** Drop-ins of this very unit: content by path. */
  readonly dropIns: Readonly<Record<string, string>>;
}

const showScript = `exec systemctl show --no-pager --property=UnitFileState,ActiveState,NeedDaemonReload,DropInPaths -- "$1"`;

/**
 * State of a unit. Drop-ins that are not its own (of a whole type, as containers and vendors ship them in
 * `service.d/`) are none of ours.
 */
export async function unitState(host: SshHost, unit: string): Promise<UnitState> {
  const { stdout } = await host.run(showScript, [unit], { action: `check the unit ${unit}` });
  const properties = new Map(
    stdout
      .toString("utf8")
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)] as const),
  );
  const paths = (properties.get("DropInPaths") ?? "")
    .split(" ")
    .filter((path) => path.includes(`/${unit}.d/`));
  const dropIns = await Promise.all(paths.map(async (path) => [path, await dropInText(host, path)] as const));
  return {
    enabled: properties.get("UnitFileState") === "enabled",
    active: properties.get("ActiveState") === "active",
    needsReload: properties.get("NeedDaemonReload") === "yes",
    dropIns: Object.fromEntries(dropIns),
  };
}

async function dropInText(host: SshHost, path: string): Promise<string> {
  const entry = await readEntry(host, path);
  return entry.type === "file" ? (entry.bytes?.toString("utf8") ?? "(too large to show)") : `(${entry.type})`;
}

/** Arguments: unit, enable, activate, restart, backup directory, then drop-ins to take away. */
const applyScript = `set -eu
unit=$1 enable=$2 activate=$3 restart=$4 backup=$5; shift 5
for path; do
  [ -e "$path" ] || [ -L "$path" ] || continue
  mkdir -p -m 0700 -- "$backup"
  mv -T -- "$path" "$backup/$(printf %s "\${path#/}" | tr / _).$(date -u +%Y%m%dT%H%M%S.%NZ)"
  rmdir -- "$(dirname -- "$path")" 2>/dev/null || true
done
systemctl daemon-reload
case $enable in
  yes) systemctl unmask --quiet -- "$unit"; systemctl enable --quiet -- "$unit" ;;
  no) systemctl disable --quiet -- "$unit" ;;
esac
systemctl reset-failed -- "$unit" 2>/dev/null || true # a start limit that was hit before is no reason not to try
case $activate in
  yes) if [ "$restart" = yes ]; then systemctl restart -- "$unit"; else systemctl start -- "$unit"; fi ;;
  no) systemctl stop -- "$unit" ;;
esac || { systemctl status --no-pager --lines=10 -- "$unit" >&2; exit 1; }`;

export interface ApplyRequest {
  readonly enabled?: boolean | undefined;
  readonly active?: boolean | undefined;
  readonly restart: boolean;
  readonly backupDirectory: string;
  /** Paths of drop-ins that were seen and are to go; moved into the backup directory, not deleted. */
  readonly dropIns: readonly string[];
}

/** Reloads systemd and brings a unit, whose file is in place, to the state asked for. */
export async function applyUnit(host: SshHost, unit: string, request: ApplyRequest): Promise<void> {
  const answer = (wish: boolean | undefined) => (wish === undefined ? "" : wish ? "yes" : "no");
  const { enabled, active, restart, backupDirectory, dropIns } = request;
  if (dropIns.some((path) => !path.includes(`/${unit}.d/`))) {
    throw new HostError(
      "E_STATE",
      `${unit}: refusing to move ${dropIns.join(", ")}: not a drop-in of this unit`,
    );
  }
  const args = [unit, answer(enabled), answer(active), answer(restart), backupDirectory, ...dropIns];
  await host.run(applyScript, args, { action: `apply the unit ${unit}` });
}

const retireScript = `set -u
systemctl disable --now --quiet -- "$1" 2>/dev/null || systemctl stop -- "$1" 2>/dev/null || true`;

/** Stops and disables a unit whose file is about to go. */
export async function retireUnit(host: SshHost, unit: string): Promise<void> {
  await host.run(retireScript, [unit], { action: `stop and disable the unit ${unit}` });
}

export async function reloadSystemd(host: SshHost): Promise<void> {
  await host.run("exec systemctl daemon-reload", [], { action: "reload systemd" });
}
