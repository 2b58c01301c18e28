import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LabError } from "../machine/errors.ts";
import { withLock } from "../machine/lock.ts";
import { ensurePackages } from "../machine/packages.ts";
import { cacheDirectory } from "../machine/paths.ts";
import { run, type StepOptions } from "../machine/run.ts";

const suite = "trixie";

/** Everything that the host, its nested engine and the images built from packages need: the host itself installs nothing. */
const packages = [
  ...["systemd", "systemd-sysv", "dbus", "systemd-resolved", "netplan.io", "openssh-server", "sudo"],
  ...["docker.io", "docker-cli", "docker-compose", "docker-registry", "nginx-light", "libnginx-mod-http-js"],
  ...["busybox-static", "ca-certificates", "curl", "iproute2", "jq", "procps", "rsync"],
];

/**
 * Turns the fresh installation into a host to manage: no service on the stack's ports, no shared host keys, none of the
 * units that cannot work in a container, an account `deploy` that may become root.
 */
const finish = `
set -eu
for unit in docker-registry nginx systemd-udevd systemd-udev-trigger systemd-modules-load console-getty \\
  getty@tty1 apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer sys-kernel-config.mount \\
  sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount dev-mqueue.mount; do
  case $unit in *.*) name=$unit ;; *) name=$unit.service ;; esac
  ln -sfn /dev/null /etc/systemd/system/$name
done
rm -f /etc/nginx/sites-enabled/default /etc/ssh/ssh_host_* /etc/machine-id /var/lib/dbus/machine-id
: >/etc/machine-id
echo 'HostKey /etc/ssh/ssh_host_ed25519_key' >/etc/ssh/sshd_config.d/host-key.conf
useradd --create-home --shell /bin/bash deploy
echo 'deploy ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/deploy
chmod 0440 /etc/sudoers.d/deploy
apt-get clean
rm -rf /var/lib/apt/lists/* /var/log/* /usr/share/doc/* /usr/share/man/* /usr/share/locale/*
`;

/** Hash of what the root file system is made from. */
export const rootFileSystemHash = createHash("sha256")
  .update([suite, process.arch, ...packages, finish].join("\n"))
  .digest("hex")
  .slice(0, 12);

function directory(): string {
  return join(cacheDirectory(), "root-file-systems");
}

/** Path of the finished root file system. */
function rootFileSystemPath(): string {
  return join(directory(), rootFileSystemHash);
}

/** The machine's own Debian mirror; undefined on a machine that is not Debian: debootstrap then takes its default. */
async function debianMirror(): Promise<string | undefined> {
  const format = "$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)";
  const command = ["apt-get", "indextargets", "--format", format, "Created-By: Packages"] as const;
  const { stdout } = await run(command, { accept: [0, 100], quiet: true });
  const fields = stdout.split("\n").map((line) => line.split("|"));
  return fields.find(
    ([origin, label, part]) => origin === "Debian" && label === "Debian" && part === "main",
  )?.[3];
}

/** The proxy of apt's configuration, which debootstrap does not read. */
async function proxyEnvironment(): Promise<Record<string, string>> {
  const { stdout } = await run(["apt-config", "dump", "--format", "%v%n", "Acquire::http::Proxy"], {
    accept: [0, 100],
    quiet: true,
  });
  const proxy = stdout.split("\n")[0]?.trim();
  return proxy?.startsWith("http") ? { http_proxy: proxy } : {};
}

/** A command in process and mount namespaces of its own: when it ends or is killed, no process and no mount is left. */
function isolated(command: readonly string[]): readonly [string, ...string[]] {
  return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--", ...command];
}

/** Removes a tree. Errors: E_BUSY where something is mounted in it. */
async function removeTree(path: string): Promise<void> {
  const mounts = await readFile("/proc/self/mounts", "utf8");
  if (mounts.includes(` ${path}/`)) {
    throw new LabError("E_BUSY", `something is still mounted below ${path}`, {
      hint: `Unmount it: grep ${path} /proc/mounts`,
    });
  }
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

async function build(target: string, options: StepOptions): Promise<void> {
  const building = join(directory(), ".building");
  await removeTree(building);
  await mkdir(building, { recursive: true, mode: 0o755 });
  const source = await debianMirror();
  const settings = { ...options, dieWithParent: true, timeoutSeconds: 1800, env: await proxyEnvironment() };
  const list = packages.join(",");
  const command = ["debootstrap", "--variant=minbase", `--include=${list}`, suite, building];
  await run(isolated(source === undefined ? command : [...command, source]), settings);
  await run(isolated(["chroot", building, "/bin/sh", "-c", finish]), settings);
  await writeFile(join(building, "etc/regwarden-root-file-system"), `${rootFileSystemHash}\n`);
  await rename(building, target);
}

async function removeOthers(): Promise<void> {
  for (const name of await readdir(directory())) {
    if (name !== rootFileSystemHash) await removeTree(join(directory(), name));
  }
}

/**
 * The host's root file system, from Debian packages: path of a finished tree in the cache. It is built beside that path
 * and renamed when it is complete, so a build that was killed is never taken for a finished one.
 *
 * Errors: E_NOT_ROOT where it is missing and only root could build it.
 */
export async function ensureRootFileSystem(options: StepOptions = {}): Promise<string> {
  const target = rootFileSystemPath();
  if (existsSync(target)) return target;
  if (process.getuid?.() !== 0) {
    throw new LabError("E_NOT_ROOT", `${target} is missing, and only root can build it (debootstrap)`, {
      hint: "Run the same command as root once.",
    });
  }
  await mkdir(directory(), { recursive: true });
  const work = async () => {
    if (existsSync(target)) return;
    await ensurePackages(options, ["debootstrap", "setpriv"]);
    await build(target, options);
    await removeOthers();
  };
  await withLock(join(cacheDirectory(), "locks/root-file-system"), work, true);
  return target;
}
