import { HostError } from "../errors.ts";
import type { SshHost } from "../ssh/host.ts";

/** Least versions. systemd: RHEL 8's. Docker: `start_interval`. Compose: the same, in its files. */
const systemdVersion = 239;
const engineVersion = 25;
const composeVersion = [2, 20] as const;
const freeMebibytes = { containers: 1024, files: 16 };

/**
 * Prints a line for each thing that is missing. Run as the account itself: that it may become root is one of the
 * things. Arguments: least systemd, least Docker Engine (none: no containers are run there), least compose (major, minor), free space in MiB, then paths
 * that must be mount points.
 */
const preflightScript = `
export LC_ALL=C
systemd=$1 engine=$2 major=$3 minor=$4 free=$5; shift 5
say() { printf '%s\\n' "$1"; }
root=
if [ "$(id -u)" != 0 ]; then
  root="sudo -n --"
  if ! command -v sudo >/dev/null; then say "sudo is not installed, and the account $(id -un) is not root"; root=
  elif ! $root true 2>/dev/null; then
    say "the account $(id -un) needs passwordless sudo ($(id -un) ALL=(ALL) NOPASSWD: ALL in a file of /etc/sudoers.d)"; root=none
  fi
fi
for program in stat sha256sum mktemp find mountpoint; do
  command -v "$program" >/dev/null || say "the program $program is not installed (coreutils, findutils, util-linux)"
done
found=$(systemctl --version 2>/dev/null | sed -n '1s/^systemd \\([0-9]*\\).*/\\1/p')
if [ -z "$found" ]; then say "systemd $systemd or newer is not installed"
elif [ "$found" -lt "$systemd" ]; then say "systemd $systemd or newer is needed, found $found"
elif [ ! -d /run/systemd/system ]; then say "systemd is installed, but the host was not booted with it"
fi
if [ -z "$engine" ]; then :
elif ! command -v docker >/dev/null; then
  say "Docker Engine $engine or newer is not installed"
else
  if [ "$root" != none ]; then
    if ! found=$($root docker version --format '{{.Server.Version}}' 2>&1); then
      say "Docker Engine does not answer: $(printf '%s' "$found" | tail -n 1)"
    elif [ "\${found%%.*}" -lt "$engine" ]; then say "Docker Engine $engine or newer is needed, found $found"
    else directory=$($root docker info --format '{{.DockerRootDir}}' 2>/dev/null)
    fi
  fi
  if ! found=$(docker compose version --short 2>/dev/null); then
    say "Docker's compose plugin $major.$minor or newer is not installed (the command: docker compose)"
  else
    found=\${found#v}; rest=\${found#*.}; rest=\${rest%%.*}
    if [ "\${found%%.*}" -lt "$major" ] || { [ "\${found%%.*}" -eq "$major" ] && [ "$rest" -lt "$minor" ]; }; then
      say "Docker's compose plugin $major.$minor or newer is needed, found $found"
    fi
  fi
fi
for path; do
  mountpoint -q -- "$path" || say "$path is no mount point (host.dataMount): mount the disk that belongs there"
done
for path in /etc /var "\${directory:-/}"; do
  [ -d "$path" ] || continue
  left=$(df -Pm -- "$path" | sed -n '2p' | { read -r _ _ _ left _ _ && echo "$left"; })
  [ "\${left:-0}" -ge "$free" ] || say "$path has \${left:-no known} MiB free, needed are $free"
done | sort -u
exit 0`;

/**
 * Errors: E_PREFLIGHT that names at once all that the host lacks. `mounts`: paths that must be mount points.
 * `hasContainers`: whether containers are to run there.
 */
export async function assertFit(
  host: SshHost,
  mounts: readonly string[] = [],
  hasContainers = true,
): Promise<void> {
  const engine = hasContainers ? engineVersion : "";
  const free = hasContainers ? freeMebibytes.containers : freeMebibytes.files;
  const least = [systemdVersion, engine, ...composeVersion, free].map(String);
  const action = "check what the host has";
  const { exitCode, stdout, stderr } = await host.executeScript(preflightScript, [...least, ...mounts], {
    action,
  });
  const missing = stdout.toString("utf8").trim();
  if (exitCode !== 0) throw new HostError("E_REMOTE", `${host.name}: ${action} failed: ${stderr.trim()}`);
  if (missing === "") return;
  throw new HostError(
    "E_PREFLIGHT",
    `${host.name}: the host lacks what the stack needs; nothing was changed:\n${missing.replaceAll(/^/gm, "  - ")}`,
  );
}
