import { existsSync, readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import * as v from "valibot";
import { LabError } from "../machine/errors.ts";
import type { Instance } from "../machine/instances.ts";
import { kubeconfigFile } from "./paths.ts";

/** How to reach an API server. */
export interface Access {
  readonly url: string;
  /** PEM. */
  readonly authority: string;
  readonly token: string;
}

/** What every object has. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

const limitMilliseconds = 15_000;

/** Ways to send an object or a part of one. */
type BodyType = keyof typeof contentTypes;
const contentTypes = {
  apply: "application/apply-patch+yaml",
  merge: "application/merge-patch+json",
  object: "application/json",
} as const;
const fieldManager = "regwarden-lab";

/** The few requests that the lab sends to an API server; its certificate is verified. */
export class KubernetesClient {
  readonly #access: Access;
  readonly #agent: Agent;

  constructor(access: Access) {
    this.#access = access;
    this.#agent = new Agent({ ca: access.authority });
  }

  /** Not `fetch`: Node's takes no certificate authority without another dependency. */
  async #send(method: string, path: string, body?: unknown, type: BodyType = "apply"): Promise<Answer> {
    const { url, token } = this.#access;
    const content = body === undefined ? {} : { "content-type": contentTypes[type] };
    const headers = { authorization: `Bearer ${token}`, accept: "application/json", ...content };
    const settings = { method, headers, agent: this.#agent, timeout: limitMilliseconds };
    return new Promise((resolve, reject) => {
      const sent = request(`${url}${path}`, settings, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }),
        );
        response.on("error", reject);
      });
      sent.on("timeout", () => sent.destroy(new Error(`no answer within ${limitMilliseconds} ms`)));
      sent.on("error", (cause) =>
        reject(
          new LabError("E_UNREACHABLE", `${method} ${url}${path}: ${cause.message}`, {
            cause,
            hint: 'Run "npm run lab": it starts what has stopped.',
          }),
        ),
      );
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Whether the API server says that it is ready. */
  async isReady(): Promise<boolean> {
    return this.#send("GET", "/readyz").then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  /** Version of the server, such as `v1.36.3`. */
  async version(): Promise<string> {
    return String((await this.get("/version"))?.gitVersion);
  }

  /** The object at a path; undefined where there is none. */
  async get(path: string): Promise<Record<string, unknown> | undefined> {
    const answer = await this.#send("GET", path);
    if (answer.status === 404) return undefined;
    return parsed("GET", path, answer);
  }

  /** Objects below a collection's path; none where the server does not know their kind. */
  async list(path: string): Promise<readonly unknown[]> {
    const items = (await this.get(path))?.items;
    return Array.isArray(items) ? items : [];
  }

  /** Applies an object, even where another manager has set its fields; they are `manager`'s from then on. */
  async apply(path: string, object: KubernetesObject, manager = fieldManager): Promise<void> {
    const where = `${path}/${object.metadata.name}?fieldManager=${manager}&force=true`;
    parsed("PATCH", where, await this.#send("PATCH", where, object));
  }

  /** Changes fields of an object, as `kubectl patch --type merge` does. */
  async merge(path: string, fields: object, manager = fieldManager): Promise<void> {
    const where = `${path}?fieldManager=${manager}`;
    parsed("PATCH", where, await this.#send("PATCH", where, fields, "merge"));
  }

  /** Writes an object, or a part of it that has a path of its own, in place of the one that is there. */
  async replace(path: string, object: object): Promise<void> {
    parsed("PUT", path, await this.#send("PUT", path, object, "object"));
  }

  /** Creates an object, or sends a request in the form of one. Returns the server's answer. */
  async create(path: string, object: object): Promise<Record<string, unknown>> {
    return parsed("POST", path, await this.#send("POST", path, object, "object"));
  }

  /** Removes an object; nothing where there is none. */
  async remove(path: string): Promise<void> {
    const answer = await this.#send("DELETE", path);
    if (answer.status !== 404) parsed("DELETE", path, answer);
  }
}

function parsed(method: string, path: string, { status, text }: Answer): Record<string, unknown> {
  if (status >= 200 && status < 300) return JSON.parse(text);
  throw new LabError("E_COMMAND_FAILED", `${method} ${path} answers ${status}: ${text.slice(0, 500)}`);
}

const kubeconfigSchema = v.object({
  clusters: v.tupleWithRest(
    [v.object({ cluster: v.object({ server: v.string(), "certificate-authority-data": v.string() }) })],
    v.unknown(),
  ),
  users: v.tupleWithRest([v.object({ user: v.object({ token: v.string() }) })], v.unknown()),
});

/** Access of the lab itself by the instance's kubeconfig; undefined where there is no cluster yet. */
export function accessOf(instance: Instance): Access | undefined {
  const file = kubeconfigFile(instance);
  if (!existsSync(file)) return undefined;
  return accessOfKubeconfig(readFileSync(file, "utf8"));
}

/** Access by a kubeconfig that the lab has written, which is JSON. */
export function accessOfKubeconfig(text: string): Access {
  const { clusters, users } = v.parse(kubeconfigSchema, JSON.parse(text));
  const { cluster } = clusters[0];
  return {
    url: cluster.server,
    authority: Buffer.from(cluster["certificate-authority-data"], "base64").toString(),
    token: users[0].user.token,
  };
}

/** A client with that access; undefined where there is no cluster yet. */
export function clientOf(instance: Instance): KubernetesClient | undefined {
  const access = accessOf(instance);
  return access === undefined ? undefined : new KubernetesClient(access);
}
