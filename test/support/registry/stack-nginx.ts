import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { nginxConfig } from "../../../components/host/render/nginx-config.ts";
import { NGINX_CONFIG } from "../../../components/host/render/nginx-paths.ts";
import { freezeHandlerText } from "../../../components/host/render/write-freeze.ts";
import type { RegistrySettings } from "../../../components/host/settings.ts";
import { accessLogDirectory, accessLogFile } from "../../../contract/access-log.ts";
import {
  freezeDirectory,
  freezeFlag,
  freezeHandler,
  freezePaths,
  jsModule,
  writeRecords,
} from "../../../contract/write-freeze.ts";
import { ensurePackages } from "../../../lab/machine/packages.ts";
import { findCommand } from "../../../lab/machine/paths.ts";
import { SETTINGS } from "../program-stack/settings.ts";
import { freePort } from "../server/free-port.ts";
import { becomesReady, endProcess } from "../server/running.ts";
import { selfSigned } from "../server/self-signed.ts";

/** A real nginx with the configuration that the stack renders, its ports and paths those of this machine. */
export interface StackNginx {
  readonly settings: RegistrySettings;
  /** `https://127.0.0.1:PORT` of the private registry. */
  readonly url: string;
  /** PEM text of the certificate that it served first. */
  readonly certificate: string;
  /** `http://127.0.0.1:PORT` of a cache, by name. */
  readonly cacheUrl: (name: string) => string;
  /** Replaces the configuration by rename, as the program does on the host. */
  readonly write: (change: (text: string) => string) => Promise<void>;
  /** Flag of a freeze, and where nginx serves its state: paths and addresses of this machine. */
  readonly freeze: { readonly flag: string; readonly statusUrl: string };
  /** Replaces the handler that holds writes; it needs a reload. */
  readonly writeHandler: (change: (text: string) => string) => Promise<void>;
  /** Replaces the certificate and its key by rename; gives the new one. */
  readonly renewCertificate: () => Promise<string>;
  /** `nginx -t`, then `nginx -s reload`. Errors: throws what the first of them says. */
  readonly reload: () => Promise<void>;
  readonly accessLog: () => Promise<string>;
  /** Path of the log that retention and collection read. */
  readonly recordedLog: string;
  readonly stop: () => Promise<void>;
}

/** Where the containers of the configuration are on this machine. */
export interface Backends {
  /** `HOST:PORT` by container name; those that are left out are reached by their names at `port`. */
  readonly addresses?: Readonly<Record<string, string>>;
  /** Port of the registries that are reached by their names. */
  readonly port?: number;
  /** `HOST:PORT` of the DNS server for these names. */
  readonly resolver?: string;
}

/** Starts it with ports of its own. */
export async function startStackNginx(
  backends: Backends,
  changes: Partial<RegistrySettings> = {},
): Promise<StackNginx> {
  await ensurePackages({}, ["nginx", jsModule, "openssl", "skopeo"]);
  const directory = await mkdtemp(join(tmpdir(), "regwarden-stack-nginx-"));
  const settings = await withFreePorts({ ...SETTINGS, ...changes });
  const [configPath, tls] = [join(directory, "nginx.conf"), join(directory, "tls")];
  await mkdir(tls);
  const names = { certificate: "fullchain.pem", privateKey: "privkey.pem" };
  const { certificate } = await selfSigned(tls, names);
  const write: StackNginx["write"] = async (change) => {
    const text = onThisMachine(change(nginxConfig(settings)), directory, backends);
    await writeFile(`${configPath}.new`, text);
    await rename(`${configPath}.new`, configPath);
  };
  await write((text) => text);
  for (const name of ["freeze", "recorded"]) await mkdir(join(directory, name));
  await writeFile(join(directory, freezeHandler), freezeHandlerText());
  const command = findCommand("nginx") ?? "nginx";
  const flags = ["-c", configPath, "-e", join(directory, "error.log")];
  const child = spawn(command, flags, { stdio: "ignore" });
  const metrics = `http://127.0.0.1:${settings.metrics.port}`;
  await becomesReady("nginx", 15, [child], async () => (await fetch(`${metrics}/healthz`)).ok);
  const run = promisify(execFile);
  return {
    settings,
    certificate,
    url: `https://127.0.0.1:${settings.private.port}`,
    cacheUrl: (name) => `http://127.0.0.1:${settings.caches.find((cache) => cache.name === name)?.port}`,
    write,
    freeze: {
      flag: join(directory, "freeze", basename(freezeFlag)),
      statusUrl: `${metrics}${freezePaths.status}`,
    },
    writeHandler: (change) => writeFile(join(directory, freezeHandler), change(freezeHandlerText())),
    renewCertificate: async () => {
      const beside = await mkdtemp(join(directory, "renewed-"));
      const renewed = await selfSigned(beside, names);
      for (const name of Object.values(names)) await rename(join(beside, name), join(tls, name));
      return renewed.certificate;
    },
    reload: async () => {
      await run(command, [...flags, "-t"]);
      await run(command, [...flags, "-s", "reload"]);
    },
    accessLog: () => readFile(join(directory, "access.log"), "utf8"),
    recordedLog: join(directory, "recorded", accessLogFile),
    stop: async () => {
      await endProcess(child);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function withFreePorts(settings: RegistrySettings): Promise<RegistrySettings> {
  const caches = [];
  for (const cache of settings.caches) caches.push({ ...cache, port: await freePort() });
  return {
    ...settings,
    caches,
    private: { ...settings.private, port: await freePort() },
    ui: { ...settings.ui, port: await freePort() },
    metrics: { port: await freePort() },
  };
}

/** Only paths, the resolver and the backends' addresses differ from what the host gets. */
function onThisMachine(
  text: string,
  directory: string,
  { addresses = {}, port, resolver }: Backends,
): string {
  const named = Object.entries(addresses).reduce(
    (rest, [name, address]) => rest.replaceAll(`set $backend ${name};`, `set $backend ${address};`),
    port === undefined
      ? text.replaceAll("$backend:5000", "$backend")
      : text.replaceAll("$backend:5000", `$backend:${port}`),
  );
  // Its workers would else run as another account, which may not read the directory.
  return `daemon off;\nuser root;\n${named
    .replaceAll("/var/cache/nginx", directory)
    .replaceAll("/etc/nginx/tls", join(directory, "tls"))
    .replaceAll(dirname(NGINX_CONFIG), directory)
    .replaceAll(freezeDirectory, join(directory, "freeze"))
    .replaceAll(accessLogDirectory, join(directory, "recorded"))
    .replaceAll(writeRecords, join(directory, "writes"))
    .replaceAll("/tmp/nginx.pid", join(directory, "pid"))
    .replaceAll("/dev/stderr", join(directory, "error.log"))
    .replaceAll("/dev/stdout", join(directory, "access.log"))
    .replace("resolver 127.0.0.11", `resolver ${resolver ?? "127.0.0.11"}`)}`;
}
