import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { writeLayout } from "../../../lab/images/oci-content.ts";
import { cacheDirectory, findCommand } from "../../../lab/machine/paths.ts";
import type { Content } from "../images/oci-content.ts";
import { pushByRequests, type Remote } from "./requests.ts";

/** Clients that people push with, each with a few images of its own. */
export interface PushClient {
  readonly name: string;
  readonly images: readonly Content[];
  /** Pushes one of the images; numbers begin again after the last. */
  readonly push: (image: number, repository: string, tag: string) => Promise<void>;
  readonly dispose: () => Promise<void>;
}

interface Surroundings {
  readonly remote: Remote;
  /** The client's own. */
  readonly directory: string;
  readonly images: readonly Content[];
}

type Start = (surroundings: Surroundings) => Promise<StartedClient | undefined>;
type StartedClient = Omit<PushClient, "images">;

const limits = { timeout: 180_000 };
const nothing = async () => {};
const hostOf = ({ url }: Remote) => new URL(url).host;

/** Each image as an OCI layout; returns their directories. */
async function layouts({ directory, images }: Surroundings): Promise<readonly string[]> {
  const all = images.map((content, at) => ({ content, path: join(directory, `layout${at}`) }));
  for (const { content, path } of all) {
    await mkdir(path, { recursive: true });
    await writeLayout(path, content, "image");
  }
  return all.map(({ path }) => path);
}

function take<T>(values: readonly T[], at: number): T {
  const value = values[at % values.length];
  if (value === undefined) throw new RangeError("no images");
  return value;
}

/** A directory with docker's own configuration, in which the account stands. */
async function dockerConfig({ remote, directory }: Surroundings): Promise<string> {
  const path = join(directory, "docker");
  await mkdir(path, { recursive: true });
  const auth = Buffer.from(`${remote.login.user}:${remote.login.password}`).toString("base64");
  await writeFile(join(path, "config.json"), JSON.stringify({ auths: { [hostOf(remote)]: { auth } } }));
  return path;
}

/** The own one, which mounts from another client's repository what that has. */
const requests: Start = async ({ remote, images }) => ({
  name: "requests",
  push: (image, repository, tag) =>
    pushByRequests(remote, take(images, image), repository, tag, image % 2 === 0 ? "skopeo/app" : undefined),
  dispose: nothing,
});

const skopeo: Start = async (surroundings) => {
  if (findCommand("skopeo") === undefined) return undefined;
  const { remote } = surroundings;
  const sources = await layouts(surroundings);
  const flags = ["--dest-tls-verify=false", "--dest-creds", `${remote.login.user}:${remote.login.password}`];
  return {
    name: "skopeo",
    push: async (image, repository, tag) => {
      const target = `docker://${hostOf(remote)}/${repository}:${tag}`;
      await execa("skopeo", ["copy", "--all", ...flags, `oci:${take(sources, image)}:image`, target], limits);
    },
    dispose: nothing,
  };
};

/** On PATH, or built from its Go module and kept; undefined where it cannot be had. */
async function goTool(name: string, module: string, version: string): Promise<string | undefined> {
  const found = findCommand(name);
  if (found !== undefined) return found;
  const directory = join(cacheDirectory(), "tools", `${name}-${version}`);
  const binary = join(directory, name);
  if (existsSync(binary)) return binary;
  if (findCommand("go") === undefined) return undefined;
  await mkdir(directory, { recursive: true });
  const env = { GOBIN: directory, GOFLAGS: "-mod=mod" };
  const built = await execa("go", ["install", `${module}@${version}`], { env, reject: false });
  return built.failed ? undefined : binary;
}

const crane: Start = async (surroundings) => {
  const binary = await goTool("crane", "github.com/google/go-containerregistry/cmd/crane", "v0.20.6");
  if (binary === undefined) return undefined;
  const sources = await layouts(surroundings);
  const env = { DOCKER_CONFIG: await dockerConfig(surroundings) };
  return {
    name: "crane",
    push: async (image, repository, tag) => {
      const target = `${hostOf(surroundings.remote)}/${repository}:${tag}`;
      await execa(binary, ["push", "--insecure", take(sources, image), target], { env, ...limits });
    },
    dispose: nothing,
  };
};

const regctl: Start = async (surroundings) => {
  const binary = await goTool("regctl", "github.com/regclient/regclient/cmd/regctl", "v0.9.2");
  if (binary === undefined) return undefined;
  const { remote, directory } = surroundings;
  const sources = await layouts(surroundings);
  const env = { REGCTL_CONFIG: join(directory, "regctl.json") };
  const { user, password } = remote.login;
  const host = { tls: "insecure", hostname: hostOf(remote), user, pass: password };
  await writeFile(env.REGCTL_CONFIG, JSON.stringify({ hosts: { [hostOf(remote)]: host } }));
  return {
    name: "regctl",
    push: async (image, repository, tag) => {
      const target = `${hostOf(remote)}/${repository}:${tag}`;
      await execa(binary, ["image", "copy", `ocidir://${take(sources, image)}:image`, target], {
        env,
        ...limits,
      });
    },
    dispose: nothing,
  };
};

const docker: Start = async (surroundings) => {
  const probe = await execa("docker", ["version"], { reject: false, timeout: 20_000 });
  if (probe.failed) return undefined;
  const { remote } = surroundings;
  const sources = await layouts(surroundings);
  const env = { DOCKER_CONFIG: await dockerConfig(surroundings) };
  const names = sources.map((_, at) => `regwarden-test-${process.pid}-${at}:1`);
  const tagged = new Set<string>();
  for (const [at, source] of sources.entries())
    await execa("skopeo", ["copy", `oci:${source}:image`, `docker-daemon:${take(names, at)}`], limits);
  return {
    name: "docker",
    push: async (image, repository, tag) => {
      const target = `${hostOf(remote)}/${repository}:${tag}`;
      await execa("docker", ["tag", take(names, image), target], limits);
      tagged.add(target);
      await execa("docker", ["push", "--quiet", target], { env, ...limits });
    },
    dispose: async () => {
      await execa("docker", ["rmi", "--force", ...tagged, ...names], { reject: false });
    },
  };
};

/** Where containerd listens: its own service, or the one that docker's engine starts. */
const containerdSockets = ["/run/containerd/containerd.sock", "/var/run/docker/containerd/containerd.sock"];

const ctr: Start = async (surroundings) => {
  const binary = findCommand("ctr");
  const socket = containerdSockets.find((path) => existsSync(path));
  if (binary === undefined || socket === undefined) return undefined;
  const { remote, directory } = surroundings;
  const own = ["--address", socket, "--namespace", `regwarden-test-${process.pid}`];
  const sources = await layouts(surroundings);
  const nameOf = (at: number) => `localhost/own${at}:image`;
  for (const [at, source] of sources.entries()) {
    const archive = join(directory, `${at}.tar`);
    await execa("tar", ["-C", source, "-cf", archive, "."], limits);
    const flags = ["--base-name", `localhost/own${at}`, "--all-platforms", "--no-unpack"];
    await execa(binary, [...own, "images", "import", ...flags, archive], limits);
  }
  // Without it, containerd speaks plain HTTP to this machine.
  const host = hostOf(remote);
  const hosts = join(directory, "hosts");
  await mkdir(join(hosts, host), { recursive: true });
  const server = `server = "https://${host}"\n[host."https://${host}"]\n  skip_verify = true\n`;
  await writeFile(join(hosts, host, "hosts.toml"), server);
  const flags = ["--hosts-dir", hosts, "--user", `${remote.login.user}:${remote.login.password}`];
  return {
    name: "ctr",
    push: async (image, repository, tag) => {
      const target = `${host}/${repository}:${tag}`;
      const name = nameOf(image % sources.length);
      await execa(binary, [...own, "images", "push", ...flags, target, name], limits);
    },
    dispose: async () => {
      const { stdout } = await execa(binary, [...own, "images", "ls", "-q"], { reject: false });
      const names = stdout.split("\n").filter((name) => name !== "");
      await execa(binary, [...own, "images", "rm", "--sync", ...names], { reject: false });
      await execa(binary, ["--address", socket, "namespaces", "rm", own[3] ?? ""], { reject: false });
    },
  };
};

/** podman and buildah, which have one storage. */
const ofContainers =
  (name: "podman" | "buildah"): Start =>
  async (surroundings) => {
    const binary = findCommand(name);
    if (binary === undefined) return undefined;
    const { remote, directory } = surroundings;
    const sources = await layouts(surroundings);
    const [root, runRoot] = [join(directory, "root"), join(directory, "run")];
    const storage = ["--storage-driver", "vfs", "--root", root, "--runroot", runRoot];
    for (const [at, source] of sources.entries()) {
      const target = `containers-storage:[vfs@${root}+${runRoot}]localhost/own:${at}`;
      await execa("skopeo", ["copy", `oci:${source}:image`, target], limits);
    }
    const flags = ["--tls-verify=false", "--creds", `${remote.login.user}:${remote.login.password}`];
    return {
      name,
      push: async (image, repository, tag) => {
        const target = `docker://${hostOf(remote)}/${repository}:${tag}`;
        const own = `localhost/own:${image % sources.length}`;
        await execa(binary, [...storage, "push", "--quiet", ...flags, own, target], limits);
      },
      dispose: nothing,
    };
  };

const all: readonly Start[] = [
  requests,
  skopeo,
  crane,
  docker,
  ctr,
  regctl,
  ofContainers("podman"),
  ofContainers("buildah"),
];

/** Those that this machine has. `imagesOf`: of the client with this number. */
export async function startClients(
  remote: Remote,
  directory: string,
  imagesOf: (client: number) => readonly Content[],
): Promise<readonly PushClient[]> {
  const clients: PushClient[] = [];
  for (const [at, start] of all.entries()) {
    const images = imagesOf(at);
    const client = await start({ remote, directory: join(directory, String(at)), images });
    if (client) clients.push({ ...client, images });
  }
  return clients;
}
