import { existsSync } from "node:fs";
import { jsModule } from "../../contract/write-freeze.ts";
import { LabError } from "./errors.ts";
import { findCommand } from "./paths.ts";
import { run, type StepOptions } from "./run.ts";
import { withoutServices } from "./service-policy.ts";

/** A command or file that the lab needs, and the packages that have it, first choice first. */
interface Need {
  readonly command?: string;
  readonly file?: string;
  readonly packages: readonly string[];
  /** Service of the package. The lab runs the program itself, so the service stays off. */
  readonly service?: string;
}

const needs: readonly Need[] = [
  { command: "dockerd", packages: ["docker.io"] },
  { command: "docker", packages: ["docker-cli", "docker.io"] },
  { command: "debootstrap", packages: ["debootstrap"] },
  { file: "/usr/share/keyrings/debian-archive-keyring.gpg", packages: ["debian-archive-keyring"] },
  { command: "skopeo", packages: ["skopeo"] },
  { command: "ssh", packages: ["openssh-client"] },
  { command: "ssh-keygen", packages: ["openssh-client"] },
  { command: "openssl", packages: ["openssl"] },
  { command: "xz", packages: ["xz-utils"] },
  { command: "tar", packages: ["tar"] },
  { command: "setpriv", packages: ["util-linux"] },
  { command: "flock", packages: ["util-linux"] },
  { command: "curl", packages: ["curl"] },
  { command: "rsync", packages: ["rsync"] },
  { command: "rclone", packages: ["rclone"] },
  { command: "busybox", packages: ["busybox"] },
  { command: "shellcheck", packages: ["shellcheck"] },
  { command: "etcd", packages: ["etcd-server", "etcd"], service: "etcd" },
  { command: "nginx", packages: ["nginx-light", "nginx"], service: "nginx" },
  { file: jsModule, packages: ["libnginx-mod-http-js"] },
  { command: "prometheus", packages: ["prometheus"], service: "prometheus" },
  { command: "promtool", packages: ["prometheus"] },
  {
    command: "prometheus-pushgateway",
    packages: ["prometheus-pushgateway"],
    service: "prometheus-pushgateway",
  },
];

function isThere(need: Need): boolean {
  return need.command === undefined ? existsSync(need.file ?? "") : findCommand(need.command) !== undefined;
}

/** What the machine lacks; `only` restricts the check to these commands and files. */
function missing(only: readonly string[] | undefined): readonly Need[] {
  return needs.filter((need) => !isThere(need) && (!only || only.includes(need.command ?? need.file ?? "")));
}

function names(lacking: readonly Need[], choice: number): string[] {
  const chosen = lacking.map((need) => need.packages[Math.min(choice, need.packages.length - 1)] ?? "");
  return [...new Set(chosen)].sort();
}

async function install(packages: readonly string[], options: StepOptions): Promise<void> {
  const apt = ["apt-get", "-o", "DPkg::Lock::Timeout=120", "-q", "-y"] as const;
  const settings = {
    ...options,
    env: { DEBIAN_FRONTEND: "noninteractive", NEEDRESTART_SUSPEND: "1" },
    timeoutSeconds: 900,
  };
  const command = [...apt, "install", "--no-install-recommends", ...packages] as const;
  const first = await run(command, { ...settings, accept: [0, 100] });
  if (first.exitCode === 0) return;
  options.reporter?.say("updating the package lists, which may be old");
  await run([...apt, "update"], settings);
  await run(command, settings);
}

function refuse(lacking: readonly Need[]): never {
  const what = lacking.map((need) => need.command ?? need.file).join(", ");
  const command = `apt-get install ${names(lacking, 0).join(" ")}`;
  const isDebian = findCommand("apt-get") !== undefined;
  throw new LabError(isDebian ? "E_NOT_ROOT" : "E_MISSING", `the machine lacks ${what}`, {
    hint: isDebian
      ? `Run "sudo ${command}", or run the lab as root.`
      : `Install them; on Debian: "${command}".`,
  });
}

/** Installs what the machine lacks. Returns the packages that it installed. */
export async function ensurePackages(options: StepOptions = {}, only?: readonly string[]): Promise<string[]> {
  const lacking = missing(only);
  if (lacking.length === 0) return [];
  if (process.getuid?.() !== 0 || findCommand("apt-get") === undefined) refuse(lacking);
  const services = lacking.flatMap(({ service }) => service ?? []);
  await withoutServices(services, async () => {
    for (const choice of [0, 1]) {
      const still = missing(only);
      if (still.length === 0) break;
      await install(names(still, choice), options).catch((error: unknown) => {
        if (choice === 1) throw error;
      });
    }
  });
  const left = missing(only);
  if (left.length > 0) refuse(left);
  return names(lacking, 0);
}
