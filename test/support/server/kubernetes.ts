import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kubeconfig } from "../../../lab/cluster/api-server.ts";
import { type Access, KubernetesClient } from "../../../lab/cluster/kubernetes-client.ts";
import { ensureServerCertificates } from "../../../lab/host/certificates.ts";
import { ensurePackages } from "../../../lab/machine/packages.ts";
import { findCommand } from "../../../lab/machine/paths.ts";
import { apiServerBinary, ensureClusterTools } from "../../../lab/machine/tools/cluster-tools.ts";
import { ensurePulumi } from "../../../lab/machine/tools/pulumi.ts";
import { sendOnce } from "../../../scripts/http/exchange.ts";
import { freePort } from "./free-port.ts";
import { becomesReady, endProcess } from "./running.ts";

/** A real API server with its etcd on this machine, without controllers, kubelets or nodes. */
export interface Kubernetes {
  readonly url: string;
  /** Kubeconfig of the administrator. */
  readonly kubeconfig: string;
  /** Makes an object below a collection's path; with a `status`, that too. */
  readonly create: (path: string, object: Creatable) => Promise<void>;
  /** Removes an object. */
  readonly remove: (path: string) => Promise<void>;
  /** Writes a kubeconfig for a service account, by a token that the server gives for it. */
  readonly kubeconfigOf: (namespace: string, serviceAccount: string) => Promise<string>;
  readonly stop: () => Promise<void>;
}

interface Creatable {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

const startLimitSeconds = 90;

export async function startKubernetes(): Promise<Kubernetes> {
  await ensurePackages({}, ["etcd", "openssl"]);
  await ensurePulumi();
  await ensureClusterTools();
  const directory = await mkdtemp(join(tmpdir(), "regwarden-kubernetes-"));
  const running: ChildProcess[] = [];
  const stop = async () => {
    for (const child of running.reverse()) await endProcess(child);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    return { ...(await start(directory, running)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(directory: string, running: ChildProcess[]): Promise<Omit<Kubernetes, "stop">> {
  const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  running.push(
    spawn(findCommand("etcd") ?? "etcd", etcdFlags(directory, etcdUrl, peerPort), { stdio: "ignore" }),
  );
  const certificates = await ensureServerCertificates(join(directory, "tls"), "kube-apiserver", [
    "DNS:localhost",
    "IP Address:127.0.0.1",
  ]);
  const token = randomUUID();
  const url = `https://127.0.0.1:${port}`;
  await writeFile(join(directory, "tokens.csv"), `${token},admin,admin,"system:masters"\n`);
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await writeFile(join(directory, "accounts.key"), privateKey.export({ type: "pkcs8", format: "pem" }));
  running.push(spawn(apiServerBinary(), apiServerFlags(directory, etcdUrl, url), { stdio: "ignore" }));
  const access = { url, authority: certificates.authority, token };
  const ask = clientFor(access);
  const isReady = async () => (await ask("GET", "/readyz")) !== "";
  await becomesReady("the API server", startLimitSeconds, running, isReady);
  const file = join(directory, "kubeconfig");
  await writeFile(file, kubeconfig("test", access));
  return {
    url,
    kubeconfig: file,
    create: async (path, object) => {
      await ask("POST", path, object);
      if (object.status !== undefined) await ask("PUT", `${path}/${object.metadata.name}/status`, object);
    },
    remove: (path) => new KubernetesClient(access).remove(path),
    kubeconfigOf: async (namespace, serviceAccount) => {
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`;
      const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
      const { status } = JSON.parse(await ask("POST", path, request)) as { status: { token: string } };
      const own = join(directory, `kubeconfig-${namespace}-${serviceAccount}`);
      await writeFile(own, kubeconfig("test", { ...access, token: status.token }));
      return own;
    },
  };
}

type Ask = (method: "GET" | "POST" | "PUT", path: string, body?: unknown) => Promise<string>;

function clientFor({ url, authority, token }: Access): Ask {
  const agent = new Agent({ ca: authority });
  return async (method, path, body) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const content = body === undefined ? {} : { body: new TextEncoder().encode(JSON.stringify(body)) };
    const answer = await sendOnce(`${url}${path}`, { method, headers, agent, ...content });
    const text = new TextDecoder().decode(answer.body);
    if (answer.status >= 300) throw new Error(`${method} ${path} answers ${answer.status}: ${text}`);
    return text;
  };
}

function etcdFlags(directory: string, url: string, peerPort: number): string[] {
  const peers = `http://127.0.0.1:${peerPort}`;
  return [
    `--data-dir=${directory}/etcd`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peers}`,
    `--initial-advertise-peer-urls=${peers}`,
    `--initial-cluster=default=${peers}`,
    "--unsafe-no-fsync=true",
  ];
}

function apiServerFlags(directory: string, etcdUrl: string, url: string): string[] {
  const key = join(directory, "accounts.key");
  return [
    `--etcd-servers=${etcdUrl}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    `--secure-port=${new URL(url).port}`,
    `--tls-cert-file=${directory}/tls/server.pem`,
    `--tls-private-key-file=${directory}/tls/server-key.pem`,
    `--token-auth-file=${directory}/tokens.csv`,
    "--authorization-mode=RBAC",
    "--anonymous-auth=false",
    `--service-account-issuer=${url}`,
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    "--service-cluster-ip-range=10.96.0.0/16",
    "--disable-admission-plugins=ServiceAccount",
    "--endpoint-reconciler-type=none",
    // Without controllers, what is deleted in the foreground, as the engine does, would wait for its end for ever.
    "--enable-garbage-collector=false",
  ];
}
