import { generateKeyPairSync } from "node:crypto";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Certificates, ensureServerCertificates } from "../host/certificates.ts";
import { ensureSecret, writeAtomically } from "../machine/files.ts";
import { addressesOf, type Instance } from "../machine/instances.ts";
import { findCommand } from "../machine/paths.ts";
import type { StepOptions } from "../machine/run.ts";
import { apiServerBinary } from "../machine/tools/cluster-tools.ts";
import { answersAt, type Daemon, ensureDaemon, stopDaemon } from "./daemon.ts";
import { gatewayOf, machinePorts, urlsOf } from "./endpoints.ts";
import { type Access, KubernetesClient } from "./kubernetes-client.ts";
import { clusterDirectory, kubeconfigContext, kubeconfigFile } from "./paths.ts";

/** Where the API server keeps what it needs to start. */
function files(instance: Instance) {
  const directory = join(clusterDirectory(instance), "kube-apiserver");
  return {
    directory,
    certificates: join(directory, "tls"),
    serviceAccountKey: join(directory, "service-account.key"),
    tokens: join(directory, "tokens.csv"),
    token: join(directory, "token"),
  };
}

function etcd(instance: Instance): Daemon {
  const directory = join(clusterDirectory(instance), "etcd");
  const { etcd: url } = urlsOf(instance);
  const peers = `http://${addressesOf(instance).address}:${machinePorts.etcdPeers}`;
  const flags = {
    "data-dir": `${directory}/data`,
    "listen-client-urls": url,
    "advertise-client-urls": url,
    "listen-peer-urls": peers,
    "initial-advertise-peer-urls": peers,
    "initial-cluster": `default=${peers}`,
    // The data may be lost and the disk may be slow: without this each write waits for it.
    "unsafe-no-fsync": "true",
  };
  return daemon("etcd", directory, findCommand("etcd") ?? "etcd", flags, () => answersAt(`${url}/health`));
}

function daemon(
  name: string,
  directory: string,
  program: string,
  flags: Readonly<Record<string, string>>,
  answers: Daemon["answers"],
): Daemon {
  const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
  return { name, directory, command: [program, ...args], answers };
}

function apiServer(instance: Instance, client: KubernetesClient): Daemon {
  const own = files(instance);
  const { address } = addressesOf(instance);
  const flags = {
    "etcd-servers": urlsOf(instance).etcd,
    "bind-address": address,
    "advertise-address": address,
    "secure-port": String(machinePorts.apiServer),
    "tls-cert-file": join(own.certificates, "server.pem"),
    "tls-private-key-file": join(own.certificates, "server-key.pem"),
    "token-auth-file": own.tokens,
    "authorization-mode": "RBAC",
    "anonymous-auth": "false",
    "service-account-issuer": urlsOf(instance).apiServer,
    "service-account-key-file": own.serviceAccountKey,
    "service-account-signing-key-file": own.serviceAccountKey,
    "service-cluster-ip-range": "10.96.0.0/16",
    // No controller makes the default accounts here, and without them this plugin refuses every pod.
    "disable-admission-plugins": "ServiceAccount",
    "enable-admission-plugins": "PodSecurity",
    // Nothing collects garbage here, and an object deleted in the foreground, as the engine does, would wait for it forever.
    "enable-garbage-collector": "false",
    // The reconciler of the service `kubernetes` refuses loopback addresses.
    "endpoint-reconciler-type": "none",
  };
  return daemon("kube-apiserver", own.directory, apiServerBinary(), flags, () => client.isReady());
}

/** Kubeconfig as JSON, which is YAML too. */
export function kubeconfig(name: string, { url, authority, token }: Access): string {
  const cluster = {
    server: url,
    "certificate-authority-data": Buffer.from(authority).toString("base64"),
  };
  return `${JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name, cluster }],
      users: [{ name: "admin", user: { token } }],
      contexts: [{ name, context: { cluster: name, user: "admin" } }],
      "current-context": name,
    },
    null,
    2,
  )}\n`;
}

/** Makes keys, token and kubeconfig, where they are missing. */
async function ensureAccess(instance: Instance, options: StepOptions): Promise<Access> {
  const own = files(instance);
  // Pods reach it by the gateway of their network.
  const addresses = [addressesOf(instance).address, gatewayOf(instance)];
  const names = ["DNS:localhost", ...addresses.map((address) => `IP Address:${address}`)];
  const certificates: Certificates = await ensureServerCertificates(
    own.certificates,
    "kube-apiserver",
    names,
    options,
  );
  if (!existsSync(own.serviceAccountKey)) {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    writeAtomically(own.serviceAccountKey, privateKey.export({ type: "pkcs8", format: "pem" }), 0o600);
  }
  const token = ensureSecret(own.token);
  writeAtomically(own.tokens, `${token},admin,admin,"system:masters"\n`, 0o600);
  return { url: urlsOf(instance).apiServer, authority: certificates.authority, token };
}

/** Runs etcd and the API server of the instance, and writes the kubeconfig. */
export async function ensureApiServer(
  instance: Instance,
  options: StepOptions = {},
): Promise<KubernetesClient> {
  const access = await ensureAccess(instance, options);
  const client = new KubernetesClient(access);
  const [store, server] = [etcd(instance), apiServer(instance, client)];
  // A server that outlives its data goes on with its caches: kinds that are gone, and revisions that are yet to come.
  if (!existsSync(join(store.directory, "data/member"))) {
    for (const daemon of [server, store]) await stopDaemon(daemon, options);
  }
  await ensureDaemon(store, options);
  await ensureDaemon(server, options);
  const file = kubeconfigFile(instance);
  writeAtomically(file, kubeconfig(kubeconfigContext(instance), access), 0o600);
  return client;
}

/** Directories of the two daemons, in the order in which they must end. */
export function apiServerDaemons(instance: Instance) {
  return ["kube-apiserver", "etcd"].map((name) => ({
    name,
    directory: join(dirname(files(instance).directory), name),
  }));
}
