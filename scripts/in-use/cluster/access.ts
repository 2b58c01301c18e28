import type { Agent, AgentOptions } from "node:https";
import { dirname, resolve } from "node:path";
import { load } from "js-yaml";
import * as v from "valibot";
import { ProgramError } from "../../cli/errors.ts";
import { isLoopback } from "../../http/origin.ts";

/** How to ask an API server. */
export interface ClusterAccess {
  /** Without a slash at its end. */
  readonly server: string;
  readonly agent: Agent;
  readonly token: string | undefined;
}

/** Reads a file; the text or the bytes of keys go nowhere else. */
export type ReadText = (path: string) => Promise<string>;

const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Of a pod, by its service account. Source: Kubernetes documentation, "Accessing the Kubernetes API from a Pod". */
export async function podAccess(
  { host, port }: { readonly host: string; readonly port: string },
  readText: ReadText,
): Promise<ClusterAccess> {
  const read = (name: string) =>
    readText(`${serviceAccount}/${name}`).catch((cause: unknown) => {
      throw unusable(
        `${serviceAccount}/${name} cannot be read: the pod needs automountServiceAccountToken`,
        cause,
      );
    });
  const [token, ca] = [await read("token"), await read("ca.crt")];
  const name = host.includes(":") ? `[${host}]` : host;
  return {
    server: `https://${name}:${port}`,
    agent: keptConnections({ ca }),
    token: token.trim(),
  };
}

const named = <T extends v.GenericSchema>(key: string, schema: T) =>
  v.optional(v.array(v.object({ name: v.string(), [key]: schema })), []);
const text = v.optional(v.string());
const clusterSchema = v.object({
  server: v.string(),
  "certificate-authority": text,
  "certificate-authority-data": text,
  "insecure-skip-tls-verify": v.optional(v.boolean(), false),
  "tls-server-name": text,
});
const userSchema = v.object({
  token: text,
  tokenFile: text,
  "client-certificate": text,
  "client-certificate-data": text,
  "client-key": text,
  "client-key-data": text,
  exec: v.optional(v.object({ command: v.string() })),
  "auth-provider": v.optional(v.object({ name: v.string() })),
  username: text,
});
const contextSchema = v.object({ cluster: v.string(), user: v.string() });
const configSchema = v.object({
  "current-context": v.optional(v.string(), ""),
  clusters: named("cluster", clusterSchema),
  users: named("user", userSchema),
  contexts: named("context", contextSchema),
});
type Cluster = v.InferOutput<typeof clusterSchema>;
type User = v.InferOutput<typeof userSchema>;

/**
 * Of a person or a job elsewhere, by a kubeconfig. `context`: which of its contexts; undefined: its current one.
 *
 * Errors: E_CONFIGURATION for a file that cannot be read or is none, for a way to log in that needs another program,
 * and for one that does not verify the server. Nothing secret of it is repeated.
 * Source: client-go, tools/clientcmd/api/v1/types.go.
 */
export async function kubeconfigAccess(
  path: string,
  context: string | undefined,
  readText: ReadText,
): Promise<ClusterAccess> {
  const config = parseConfig(path, await read(path, readText));
  const wanted = context ?? config["current-context"];
  const { cluster: clusterName, user: userName } = pick<v.InferOutput<typeof contextSchema>>(
    path,
    config.contexts,
    "context",
    wanted,
  );
  const cluster = pick<Cluster>(path, config.clusters, "cluster", clusterName);
  const user = pick<User>(path, config.users, "user", userName);
  refuseForeignLogins(path, userName, user);
  checkServer(path, cluster);
  const material = (name: string, file: string | undefined, data: string | undefined) =>
    data !== undefined
      ? Buffer.from(data, "base64").toString()
      : file === undefined
        ? undefined
        : read(resolve(dirname(path), file), readText, `the ${name} of ${path}`);
  const options = {
    ca: await material("authority", cluster["certificate-authority"], cluster["certificate-authority-data"]),
    cert: await material("certificate", user["client-certificate"], user["client-certificate-data"]),
    key: await material("key", user["client-key"], user["client-key-data"]),
    servername: cluster["tls-server-name"],
  };
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const token = user.tokenFile ? await material("token", user.tokenFile, undefined) : user.token;
  return {
    server: cluster.server.replace(/\/+$/, ""),
    agent: keptConnections(given),
    token: token?.trim(),
  };
}

function parseConfig(path: string, content: string): v.InferOutput<typeof configSchema> {
  try {
    const document: unknown = load(content);
    return v.parse(configSchema, Array.isArray(document) ? undefined : document);
  } catch {
    // The parser's own words would quote the file.
    throw unusable(`${path} is no kubeconfig`);
  }
}

function pick<T>(path: string, entries: readonly object[], kind: string, name: string): T {
  const found = (entries as readonly { name: string; [key: string]: unknown }[]).find(
    (one) => one.name === name,
  );
  if (found) return found[kind] as T;
  throw unusable(`${path} has no ${kind} ${name === "" ? "that is the current one" : name}`);
}

function refuseForeignLogins(path: string, name: string, user: User): void {
  const who = `The user ${name} of ${path}`;
  const instead = "give it a token or a client certificate, such as those of kubectl create token";
  if (user.exec)
    throw unusable(`${who} logs in by the program ${user.exec.command}, which is not run: ${instead}`);
  if (user["auth-provider"])
    throw unusable(`${who} logs in by an auth-provider, which is not known: ${instead}`);
  if (user.username)
    throw unusable(`${who} logs in by a password, which no server takes any more: ${instead}`);
}

function checkServer(path: string, cluster: Cluster): void {
  const url = URL.parse(cluster.server);
  if (!url) throw unusable(`${path} names a server that is no address`);
  if (cluster["insecure-skip-tls-verify"])
    throw unusable(
      `${path} does not verify the server (insecure-skip-tls-verify): give it certificate-authority`,
    );
  if (url.protocol !== "https:" && !isLoopback(url.hostname))
    throw unusable(`${path} names a server without TLS, ${url.origin}`);
}

async function read(path: string, readText: ReadText, what = path): Promise<string> {
  try {
    return await readText(path);
  } catch (cause) {
    throw unusable(`${what} cannot be read (${path})`, cause);
  }
}

function unusable(reason: string, cause?: unknown): ProgramError {
  return new ProgramError("E_CONFIGURATION", `${reason}.`, { cause });
}

/** Not by `import`: every program would load it with its start. */
function keptConnections(options: AgentOptions): Agent {
  const { Agent: TlsAgent } = process.getBuiltinModule("node:https");
  return new TlsAgent({ ...options, keepAlive: true });
}
