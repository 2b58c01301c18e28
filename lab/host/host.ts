import { createHash } from "node:crypto";
import { connect } from "node:net";
import {
  containerLabels,
  containerState,
  docker,
  ensureNetwork,
  hasImage,
  importImage,
  removeContainer,
  removeOtherVersions,
  startContainer,
} from "../machine/docker-client.ts";
import { messageOf } from "../machine/errors.ts";
import { type Addresses, addressesOf, type Instance, ports } from "../machine/instances.ts";
import { type Command, type RunOptions, type RunResult, run, type StepOptions } from "../machine/run.ts";
import { tar } from "../machine/tar.ts";
import { waitUntil } from "../machine/wait.ts";
import { ensureRootFileSystem, rootFileSystemHash } from "./root-file-system.ts";
import { ensureKeys, hasKeys, type SshKeys } from "./ssh-keys.ts";

/** A VM-like host: systemd, sshd and a Docker engine of its own. */
export interface LabHost {
  /** Loopback address of the machine that all the host's ports are published on. */
  readonly address: string;
  readonly sshPort: number;
  /** `ssh-ed25519 AAAA...` */
  readonly hostKey: string;
  /** Private key that root and `deploy` (passwordless sudo) accept. */
  readonly privateKeyFile: string;
  readonly container: string;
  /** Runs a shell command as root, not through SSH. A failing command is a result, not an error. */
  exec(command: string, options?: ExecOptions): Promise<RunResult>;
}

type ExecOptions = Pick<RunOptions, "input" | "timeoutSeconds" | "reporter" | "quiet">;

/**
 * Before systemd starts: /sys writable, and a fresh cgroup2 tree, which the container's own cgroup namespace roots at
 * the container. On a machine that also has cgroup v1, systemd gets a tree one level below: it gives controllers to its
 * children, and the kernel then refuses the processes that `docker exec` puts beside them (runc 1.1 tries no other way).
 */
const bootScript = `set -e
mount -o remount,rw /sys
umount -R /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
grep -q '^[1-9]' /proc/self/cgroup || exec /sbin/init
mkdir -p /sys/fs/cgroup/host
echo $$ >/sys/fs/cgroup/host/cgroup.procs
umount /sys/fs/cgroup
exec unshare --cgroup /bin/sh -c 'mount -t cgroup2 none /sys/fs/cgroup && exec /sbin/init'`;

/** Everything but SYS_RESOURCE: some machines that are containers themselves lack it, and --privileged asks for it. */
const capabilities = ["--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE", "--cgroupns", "private"];
const confinement = ["seccomp", "apparmor", "systempaths"].flatMap((kind) => [
  "--security-opt",
  `${kind}=unconfined`,
]);

const image = `regwarden-host:${rootFileSystemHash}`;
const healthCommand =
  "systemctl is-active --quiet ssh docker systemd-resolved && docker version >/dev/null 2>&1";

/** Hash of what the container is made from; a container with another hash is replaced. */
function specOf(addresses: Addresses, keys: SshKeys): string {
  const parts = [
    image,
    bootScript,
    capabilities,
    confinement,
    addresses,
    ports,
    keys.hostPublicKey,
    keys.clientPublicKey,
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}

/** Puts the root file system into the machine's Docker engine, once for each of its versions. */
async function ensureHostImage(options: StepOptions = {}): Promise<string> {
  const directory = await ensureRootFileSystem(options);
  if (await hasImage(image)) return image;
  options.reporter?.say(`importing ${directory} as ${image}`);
  await importImage(["tar", "-C", directory, "--numeric-owner", "-c", "."], image, [], ["docker"], options);
  await removeOtherVersions(image);
  return image;
}

/** The instance's own keys as files of the host. */
function keyFiles(keys: SshKeys): Buffer {
  const authorized = (home: string, owner: number) => [
    { path: `${home}/.ssh/`, mode: 0o700, owner },
    { path: `${home}/.ssh/authorized_keys`, content: `${keys.clientPublicKey}\n`, mode: 0o600, owner },
  ];
  return tar([
    { path: "etc/ssh/ssh_host_ed25519_key", content: keys.hostPrivateKey, mode: 0o600 },
    { path: "etc/ssh/ssh_host_ed25519_key.pub", content: `${keys.hostPublicKey}\n` },
    ...authorized("root", 0),
    ...authorized("home/deploy", 1000),
  ]);
}

function portFlags({ address }: Addresses): string[] {
  return Object.values(ports).flatMap((port) => [
    "--publish",
    `${address}:${port}:${port === ports.ssh ? 22 : port}`,
  ]);
}

async function replaceContainer(addresses: Addresses, keys: SshKeys, options: StepOptions): Promise<void> {
  await removeHostOf(addresses);
  await ensureHostImage(options);
  await ensureNetwork(addresses);
  options.reporter?.say(`starting ${addresses.hostContainer}`);
  const labels = containerLabels(addresses, specOf(addresses, keys));
  const identity = ["--name", addresses.hostContainer, "--hostname", "registry-vm", ...labels];
  const network = ["--network", addresses.network, "--ip", addresses.hostIp, ...portFlags(addresses)];
  const storage = [
    "--tmpfs",
    "/run",
    "--tmpfs",
    "/tmp",
    "--volume",
    `${addresses.hostVolume}:/var/lib/docker`,
  ];
  const stop = ["--stop-signal", "SIGRTMIN+3", "--stop-timeout", "30"];
  const system = [...capabilities, ...confinement, ...stop];
  const boot = [image, "/bin/sh", "-c", bootScript];
  await docker(["create", ...identity, ...system, ...network, ...storage, ...boot]);
  await docker(["cp", "-", `${addresses.hostContainer}:/`], { input: keyFiles(keys) });
  await startContainer(addresses.hostContainer);
}

/** Whether an SSH server greets at this address: a published port accepts connections while sshd is down too. */
async function greets(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: 1000 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("data", (data) => end(data.toString().startsWith("SSH-2.0-")));
    for (const event of ["error", "timeout", "close"]) socket.once(event, () => end(false));
  });
}

/** A command in the host; it takes standard input. */
export function onHost(container: string, command: Command): Command {
  return ["docker", "exec", "--interactive", "--env", "LANG=C.UTF-8", container, ...command];
}

function handleOf(addresses: Addresses, keys: SshKeys): LabHost {
  const exec = async (command: string, options: ExecOptions = {}) => {
    const state = await containerState(addresses.hostContainer);
    if (state?.status !== "running") {
      return { stdout: "", stderr: `${addresses.hostContainer} does not run`, exitCode: 255 };
    }
    const accept = Array.from({ length: 256 }, (_, code) => code);
    return run(onHost(addresses.hostContainer, ["/bin/sh", "-c", command]), { accept, ...options });
  };
  return {
    address: addresses.address,
    sshPort: ports.ssh,
    hostKey: keys.hostPublicKey,
    privateKeyFile: keys.clientPrivateKeyFile,
    container: addresses.hostContainer,
    exec,
  };
}

/** Whether the host does its three jobs: sshd greets, its Docker engine answers, systemd-resolved runs. */
export async function isHealthy(host: LabHost): Promise<boolean> {
  if (!(await greets(host.address, host.sshPort))) return false;
  return (await host.exec(healthCommand, { timeoutSeconds: 20, quiet: true })).exitCode === 0;
}

async function becomesHealthy(host: LabHost, limitSeconds: number, options: StepOptions): Promise<boolean> {
  options.reporter?.say(`waiting for sshd and Docker on ${host.container}`);
  try {
    await waitUntil("the host's sshd and Docker engine", limitSeconds, () => isHealthy(host));
    return true;
  } catch (error) {
    options.reporter?.say(messageOf(error));
    return false;
  }
}

/** Keeps or starts the container that exists; false where it must be replaced. */
async function revive(host: LabHost, spec: string, options: StepOptions): Promise<boolean> {
  const state = await containerState(host.container);
  if (state?.spec !== spec || !["running", "exited"].includes(state.status)) return false;
  if (state.status === "exited") await startContainer(host.container);
  else if (await isHealthy(host)) return true;
  return becomesHealthy(host, 60, options);
}

/**
 * Boots the instance's host, or keeps the healthy one that runs. A stopped one is started; one that does not become
 * healthy, is incomplete, or was made from something else is replaced, with all its data.
 */
export async function ensureHost(instance: Instance, options: StepOptions = {}): Promise<LabHost> {
  const addresses = addressesOf(instance);
  const keys = await ensureKeys(instance);
  const host = handleOf(addresses, keys);
  if (await revive(host, specOf(addresses, keys), options)) return host;
  await replaceContainer(addresses, keys, options);
  await waitUntil(`sshd and Docker on ${host.container}`, 120, () => isHealthy(host));
  return host;
}

/** The instance's host, whether it runs or not; undefined where there has been none. */
export async function hostOf(instance: Instance): Promise<LabHost | undefined> {
  return hasKeys(instance) ? handleOf(addressesOf(instance), await ensureKeys(instance)) : undefined;
}

async function removeHostOf(addresses: Addresses): Promise<void> {
  await removeContainer(addresses.hostContainer);
  await docker(["volume", "rm", "--force", addresses.hostVolume]);
}

/** Removes the host and its nested engine's data; nothing where there is none. */
export async function removeHost(instance: Instance): Promise<void> {
  await removeHostOf(addressesOf(instance));
}
