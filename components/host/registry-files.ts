import * as pulumi from "@pulumi/pulumi";
import { registryContainer } from "../../contract/host-names.ts";
import { backupDirectory, type HostPaths, hostPaths } from "../../contract/host-paths.ts";
import { privateRegistry } from "../../contract/registries.ts";
import { File, Htpasswd } from "../../provider/resources.ts";
import type { RegistrySecrets } from "./registry-secrets.ts";
import { type ComposeService, composeServices, composeText } from "./render/compose.ts";
import { nginxConfig } from "./render/nginx-config.ts";
import { cacheConfig, privateConfig } from "./render/registry-config.ts";
import { secretFingerprint, sha256 } from "./render/revision.ts";
import { VALIDATE_COMPOSE, validateFreezeHandler, validateNginx } from "./render/validate.ts";
import { freezeHandlerText } from "./render/write-freeze.ts";
import type { RegistrySettings } from "./settings.ts";
import { TlsFiles } from "./tls-files.ts";

/** Arguments of {@link RegistryFiles}. */
export interface RegistryFilesArgs {
  readonly settings: RegistrySettings;
  readonly secrets: RegistrySecrets;
}

/** All files that the containers are made from, the compose file included. */
export class RegistryFiles extends pulumi.ComponentResource {
  public readonly changes: readonly pulumi.Output<string>[];
  /** The services of the compose file, with their revisions; no secret. */
  public readonly services: pulumi.Output<Record<string, ComposeService>>;
  /** When the files that a service reads at its start only were written, by service. */
  public readonly mounted: Readonly<Record<string, pulumi.Output<string>[]>>;
  /** When the files that nginx takes up by a reload were written. */
  public readonly reloaded: readonly pulumi.Output<string>[];
  /** File on the host that programs on the host verify the registry with. */
  public readonly caFile: string;

  constructor(
    name: string,
    { settings, secrets }: RegistryFilesArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("registry:host:RegistryFiles", name, {}, opts);
    const own = { parent: this };
    const paths = hostPaths(settings.directory);
    const tls = new TlsFiles(`${name}-tls`, { settings, tls: secrets.tls }, own);
    const htpasswd = htpasswdFile(name, settings, secrets, own);
    const configs = registryConfigs(settings, secrets, paths);
    const configFiles = configs.map((config) => registryConfigFile(name, config, paths, own));
    // `nginx -t` reads the certificate and its key: without them the first configuration would be refused.
    const handler = freezeHandlerFile(name, settings, paths, own);
    const nginx = nginxFile(name, settings, paths, { parent: this, dependsOn: [tls, handler] });
    const fingerprints = pulumi.all(
      Object.fromEntries(configs.map(({ registry, fingerprint }) => [registry, fingerprint])),
    );
    this.services = fingerprints.apply((registryConfigs) => composeServices(settings, { registryConfigs }));
    this.mounted = mountedConfigs(configs, configFiles);
    this.reloaded = [nginx.writtenAt, handler.writtenAt, ...tls.written];
    const compose = composeFile(name, this.services, paths, own);
    const files = [htpasswd, ...configFiles, handler, nginx, compose];
    this.changes = [...tls.changes, ...files.map(({ changedAt }) => changedAt)];
    this.caFile = tls.caFile;
    this.registerOutputs({});
  }
}

interface RegistryConfig {
  readonly registry: string;
  readonly content: pulumi.Input<string>;
  readonly fingerprint: pulumi.Input<string>;
  readonly mode: "0644" | "0600";
}

function registryConfigs(
  settings: RegistrySettings,
  secrets: RegistrySecrets,
  paths: HostPaths,
): RegistryConfig[] {
  const plain = (registry: string, content: string): RegistryConfig => ({
    registry,
    content,
    fingerprint: sha256(content),
    mode: "0644",
  });
  const caches = settings.caches.map((cache): RegistryConfig => {
    const password = secrets.cachePasswords[cache.name];
    if (password === undefined) return plain(cache.name, cacheConfig(cache));
    const content = pulumi.secret(password).apply((text) => cacheConfig(cache, text));
    const path = paths.registryConfig(cache.name);
    // Made to be seen: see secretFingerprint.
    const fingerprint = pulumi.unsecret(content.apply((text) => secretFingerprint(path, text)));
    return { registry: cache.name, content, fingerprint, mode: "0600" };
  });
  return [...caches, plain(privateRegistry, privateConfig())];
}

function mountedConfigs(
  configs: readonly RegistryConfig[],
  files: readonly File[],
): Record<string, pulumi.Output<string>[]> {
  const written = files.map(({ writtenAt }) => [writtenAt]);
  return Object.fromEntries(
    configs.map(({ registry }, at) => [registryContainer(registry), written[at] ?? []]),
  );
}

function registryConfigFile(
  name: string,
  { registry, content, mode }: RegistryConfig,
  paths: HostPaths,
  opts: pulumi.CustomResourceOptions,
): File {
  const path = paths.registryConfig(registry);
  return new File(`${name}-config-${registry}`, { path, content, mode, backupDirectory }, opts);
}

function htpasswdFile(
  name: string,
  { directory, private: { pullUser } }: RegistrySettings,
  { registryUser, registryPassword, pullPassword }: RegistrySecrets,
  opts: pulumi.CustomResourceOptions,
): Htpasswd {
  const accounts = pulumi.secret(pulumi.all([registryUser, registryPassword, pullPassword]));
  const users = accounts.apply(([user, password, toPull]) => ({
    [user]: password,
    ...(pullUser === undefined || toPull === undefined ? {} : { [pullUser]: toPull }),
  }));
  const path = hostPaths(directory).htpasswd;
  return new Htpasswd(`${name}-htpasswd`, { path, users, backupDirectory }, opts);
}

function freezeHandlerFile(
  name: string,
  settings: RegistrySettings,
  paths: HostPaths,
  opts: pulumi.CustomResourceOptions,
): File {
  const args = {
    path: paths.freezeHandler,
    content: freezeHandlerText(),
    validate: validateFreezeHandler(settings),
    backupDirectory,
  };
  return new File(`${name}-freeze-handler`, args, opts);
}

function nginxFile(
  name: string,
  settings: RegistrySettings,
  paths: HostPaths,
  opts: pulumi.CustomResourceOptions,
): File {
  const args = {
    path: paths.nginxConfig,
    content: nginxConfig(settings),
    validate: validateNginx(settings),
    backupDirectory,
  };
  return new File(`${name}-nginx`, args, opts);
}

function composeFile(
  name: string,
  services: pulumi.Output<Record<string, ComposeService>>,
  paths: HostPaths,
  opts: pulumi.CustomResourceOptions,
): File {
  const args = {
    path: paths.composeFile,
    content: services.apply(composeText),
    validate: VALIDATE_COMPOSE,
    backupDirectory,
  };
  return new File(`${name}-compose`, args, opts);
}
