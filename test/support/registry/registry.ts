import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { hash } from "bcryptjs";
import { writeLayout } from "../../../lab/images/oci-content.ts";
import { registryBinary } from "../../../lab/images/registry-binary.ts";
import { ensurePackages } from "../../../lab/machine/packages.ts";
import { acceptAnyManifest } from "../../../scripts/registry/media-types.ts";
import { type Content, writeDockerDirectory } from "../images/oci-content.ts";
import { freePort } from "../server/free-port.ts";
import { becomesReady, endProcess } from "../server/running.ts";
import { type Login, loginHeaders, mountBlob, upload, uploadManifest } from "./upload.ts";

/** A real registry 2.8.3 on this machine, and a real client to push with. */

const run = promisify(execFile);
const startLimitSeconds = 15;
const limits = { maxBuffer: 64 * 1024 * 1024, timeout: 60_000 };

export interface Registry {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Data directory: `docker/registry/v2` lies in it. */
  readonly directory: string;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Stops the server, runs `garbage-collect` with more arguments, and starts it again. */
  readonly collectGarbage: (...flags: readonly string[]) => Promise<string>;
  /** Pushes an image with everything below it by a real client, to a tag or, for an image without one, to its digest. */
  readonly push: (content: Content, repository: string, reference: string) => Promise<void>;
  /** The same by plain requests: takes what skopeo does not, in milliseconds. */
  readonly upload: (content: Content, repository: string, tag?: string) => Promise<void>;
  /** Pushes only the manifest, for indexes of indexes: skopeo does not copy these. */
  readonly pushManifest: (content: Content, repository: string, tag: string) => Promise<void>;
  /** Brings an image that one repository holds into others under a tag, blobs by mounting them. */
  readonly mount: (content: Content, from: string, to: readonly string[], tag: string) => Promise<void>;
  /** Copies an image of any generation into a new directory: whatever is missing in the registry fails it. */
  readonly pull: (repository: string, tag: string) => Promise<void>;
  /** Status of a GET of a manifest, by tag or digest. */
  readonly manifestStatus: (repository: string, reference: string) => Promise<number>;
  /** Stops the server and removes everything. */
  readonly dispose: () => Promise<void>;
}

interface RegistryOptions {
  /** Whether it memoizes blob descriptors, as other people's do. */
  readonly cachesBlobs?: boolean;
  /** Makes it a pull-through cache of the registry at this URL. */
  readonly proxyOf?: string;
  /** Whether its store lies in memory: a disk that syncs each push costs most of a test's time. */
  readonly isInMemory?: boolean;
  /** More of its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a registry with an empty store; with a login it asks for it. */
export async function startRegistry(login?: Login, options: RegistryOptions = {}): Promise<Registry> {
  const base = options.isInMemory && existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const scratch = await mkdtemp(join(base, "regwarden-registry-"));
  await ensurePackages();
  const binary = await registryBinary();
  const directory = join(scratch, "data");
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(scratch, "config.yml");
  await writeFile(config, await renderConfig({ scratch, directory, port, login, ...options }));
  const server = createServerControl(binary, config, url, options.env);
  const credentials = (side: "src" | "dest") =>
    login ? [`--${side}-creds`, `${login.user}:${login.password}`] : [];
  const remote = (repository: string, reference: string) =>
    `docker://127.0.0.1:${port}/${repository}${reference.includes(":") ? "@" : ":"}${reference}`;
  const copy = ["copy", "--all", "--preserve-digests", "--quiet"];
  await server.start();
  return {
    url,
    directory,
    ...server,
    collectGarbage: async (...flags) => {
      await server.stop();
      const { stdout } = await run(binary, ["garbage-collect", ...flags, config], limits);
      await server.start();
      return stdout;
    },
    push: async (content, repository, reference) => {
      const source = await writeSource(await mkdtemp(join(scratch, "push-")), content);
      const options = [...copy, "--dest-tls-verify=false", ...credentials("dest")];
      await run("skopeo", [...options, source, remote(repository, reference)], limits);
    },
    upload: (content, repository, tag) => upload({ url, login }, content, repository, tag),
    pushManifest: (content, repository, tag) => uploadManifest({ url, login }, content, repository, tag),
    mount: async (content, from, to, tag) => {
      for (const repository of to) {
        for (const { descriptor } of content.parts)
          await mountBlob({ url, login }, descriptor.digest, from, repository);
        await uploadManifest({ url, login }, content, repository, tag);
      }
    },
    pull: async (repository, tag) => {
      const target = await mkdtemp(join(scratch, "pull-"));
      const options = [...copy, "--src-tls-verify=false", ...credentials("src")];
      await run("skopeo", [...options, remote(repository, tag), `dir:${target}`], limits);
    },
    manifestStatus: async (repository, reference) => {
      const headers = { accept: `${acceptAnyManifest}, */*`, ...loginHeaders(login) };
      return (await fetch(`${url}/v2/${repository}/manifests/${reference}`, { headers })).status;
    },
    dispose: async () => {
      await server.stop();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

async function writeSource(directory: string, content: Content): Promise<string> {
  if (content.descriptor.mediaType.includes("docker")) {
    await writeDockerDirectory(directory, content);
    return `dir:${directory}`;
  }
  await writeLayout(directory, content, "image");
  return `oci:${directory}:image`;
}

function createServerControl(binary: string, config: string, url: string, env: RegistryOptions["env"] = {}) {
  let child: ChildProcess | undefined;
  return {
    start: async () => {
      const started = spawn(binary, ["serve", config], { stdio: "ignore", env: { ...process.env, ...env } });
      child = started;
      const answers = async () => (await fetch(`${url}/v2/`)).status < 500;
      await becomesReady(`the registry at ${url}`, startLimitSeconds, [started], answers);
    },
    stop: async () => {
      const running = child;
      child = undefined;
      if (running) await endProcess(running);
    },
  };
}

/** The registry's own answer to a HEAD below `/v2/`: status and, of 200, length, as it says them. */
export async function headOf(url: string, path: string): Promise<string> {
  const headers = { accept: acceptAnyManifest, "accept-encoding": "identity" };
  const reply = await fetch(`${url}/v2/${path}`, { method: "HEAD", headers });
  return reply.status === 200 ? `200, ${reply.headers.get("content-length")} bytes` : String(reply.status);
}

interface RegistrySettings extends RegistryOptions {
  readonly scratch: string;
  readonly directory: string;
  readonly port: number;
  readonly login: Login | undefined;
}

async function renderConfig(settings: RegistrySettings): Promise<string> {
  const { scratch, directory, port, login, cachesBlobs = false, proxyOf } = settings;
  const passwords = join(scratch, "htpasswd");
  if (login) await writeFile(passwords, `${login.user}:${await hash(login.password, 4)}\n`);
  const auth = login ? `auth:\n  htpasswd:\n    realm: test\n    path: ${passwords}\n` : "";
  const cache = cachesBlobs ? "  cache:\n    blobdescriptor: inmemory\n" : "";
  const proxy = proxyOf === undefined ? "" : `proxy:\n  remoteurl: ${proxyOf}\n`;
  return (
    "version: 0.1\nlog:\n  level: error\n" +
    // Without it, 2.8.3 refuses foreign layers.
    'validation:\n  manifests:\n    urls:\n      allow: ["^https://"]\n' +
    `storage:\n${cache}  filesystem:\n    rootdirectory: ${directory}\n  delete:\n    enabled: true\n` +
    `http:\n  addr: 127.0.0.1:${port}\n  secret: test\n${auth}${proxy}`
  );
}
