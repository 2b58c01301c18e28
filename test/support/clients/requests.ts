import { hash } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Digest, splitDigest } from "../../../scripts/registry/digest.ts";
import { acceptAnyManifest } from "../../../scripts/registry/media-types.ts";
import { type Content, digest } from "../images/oci-content.ts";
import type { Login } from "../registry/upload.ts";

/** A registry behind TLS, whatever certificate it has, as the simplest client sees it: it repeats no request. */
export interface Remote {
  /** `https://HOST:PORT` */
  readonly url: string;
  readonly login: Login;
}

export interface Reply {
  readonly status: number;
  readonly location: string;
  readonly digest: string;
  readonly body: Buffer;
}

const agent = new Agent({ rejectUnauthorized: false, keepAlive: true });
const limitMs = 120_000;

/** Closes the connections that are kept open; a server that stops would wait for them. */
export function disconnect(): void {
  agent.destroy();
}

/** Errors: throws when there is no answer, or it breaks off. */
export function ask(
  { url, login }: Remote,
  method: string,
  path: string,
  { headers = {}, body }: { headers?: Readonly<Record<string, string>>; body?: Uint8Array } = {},
): Promise<Reply> {
  const options = {
    method,
    agent,
    auth: `${login.user}:${login.password}`,
    headers: { accept: `${acceptAnyManifest}, */*`, "content-length": body?.byteLength ?? 0, ...headers },
    timeout: limitMs,
  };
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, url), options, async (answer) => {
      try {
        const chunks: Buffer[] = [];
        for await (const chunk of answer) chunks.push(chunk);
        const text = (name: string) => String(answer.headers[name] ?? "");
        resolve({
          status: answer.statusCode ?? 0,
          location: text("location"),
          digest: text("docker-content-digest"),
          body: Buffer.concat(chunks),
        });
      } catch (error) {
        reject(error);
      }
    });
    sent.on("error", reject).on("timeout", () => sent.destroy(new Error(`${method} ${path}: no answer`)));
    sent.end(body);
  });
}

async function expected(wanted: readonly number[], reply: Promise<Reply>, what: string): Promise<Reply> {
  const { status, body, ...rest } = await reply;
  if (!wanted.includes(status)) throw new Error(`${what}: ${status} ${body.toString().slice(0, 300)}`);
  return { status, body, ...rest };
}

/** Whether the registry says that it has a blob: a client that hears so does not send it. */
export async function hasBlob(remote: Remote, repository: string, blob: Digest): Promise<boolean> {
  const path = `/v2/${repository}/blobs/${blob}`;
  return (await expected([200, 404], ask(remote, "HEAD", path), `HEAD ${path}`)).status === 200;
}

/** Sends a blob, or has it mounted from another repository where that has it. */
export async function sendBlob(
  remote: Remote,
  repository: string,
  { descriptor, bytes }: Content,
  mountsFrom?: string,
): Promise<void> {
  const query =
    mountsFrom === undefined ? "" : `?${new URLSearchParams({ mount: descriptor.digest, from: mountsFrom })}`;
  const path = `/v2/${repository}/blobs/uploads/${query}`;
  const begun = await expected([201, 202], ask(remote, "POST", path), `POST ${path}`);
  if (begun.status === 201) return;
  await commit(remote, await patch(remote, begun.location, bytes), descriptor.digest);
}

/** Sends some bytes of an upload. Returns where it goes on. */
export async function patch(remote: Remote, location: string, body: Uint8Array): Promise<string> {
  const headers = { "content-type": "application/octet-stream" };
  const reply = ask(remote, "PATCH", location, { headers, body });
  return (await expected([202], reply, "PATCH of an upload")).location;
}

/** The same, with bytes that come when they come. */
export async function patchPiecewise(
  { url, login }: Remote,
  location: string,
  pieces: AsyncIterable<Uint8Array>,
): Promise<string> {
  const headers = { "content-type": "application/octet-stream" };
  const options = { method: "PATCH", agent: false, auth: `${login.user}:${login.password}`, headers };
  const sent = request(new URL(location, url), { ...options, rejectUnauthorized: false });
  const answered = once(sent, "response");
  answered.catch(() => {});
  await pipeline(Readable.from(pieces), sent);
  const [answer] = (await answered) as [IncomingMessage];
  answer.resume();
  if (answer.statusCode !== 202) throw new Error(`PATCH of an upload: ${answer.statusCode}`);
  return answer.headers.location ?? "";
}

export async function commit(remote: Remote, location: string, blob: Digest): Promise<void> {
  const end = new URL(location, remote.url);
  end.searchParams.set("digest", blob);
  await expected([201], ask(remote, "PUT", `${end.pathname}${end.search}`), "PUT of an upload");
}

export async function sendManifest(
  remote: Remote,
  repository: string,
  { descriptor, bytes }: Content,
  reference: string,
): Promise<void> {
  const path = `/v2/${repository}/manifests/${reference}`;
  const headers = { "content-type": descriptor.mediaType };
  await expected([201], ask(remote, "PUT", path, { headers, body: bytes }), `PUT ${path}`);
}

/** What is wrong with what a reference leads to, every byte of it compared with its digest; empty when it is complete. */
export async function faultsOfPull(
  remote: Remote,
  repository: string,
  reference: string,
): Promise<readonly string[]> {
  const { status, body, digest: own } = await ask(remote, "GET", `/v2/${repository}/manifests/${reference}`);
  if (status !== 200) return [`${repository}:${reference} answered ${status}`];
  const faults: string[] = [];
  if (!isOf(own, body)) faults.push(`${repository}:${reference} has other bytes than ${own}`);
  const { manifests = [], config, layers = [] } = JSON.parse(body.toString()) as Parts;
  for (const { digest: child } of manifests) faults.push(...(await faultsOfPull(remote, repository, child)));
  for (const { digest: blob } of [...(config ? [config] : []), ...layers]) {
    const answer = await ask(remote, "GET", `/v2/${repository}/blobs/${blob}`);
    if (answer.status !== 200) faults.push(`${repository}@${blob} answered ${answer.status}`);
    else if (!isOf(blob, answer.body)) faults.push(`${repository}@${blob} has other bytes`);
  }
  return faults;
}

interface Parts {
  readonly manifests?: readonly { readonly digest: Digest }[];
  readonly config?: { readonly digest: Digest };
  readonly layers?: readonly { readonly digest: Digest }[];
}

function isOf(name: string, bytes: Buffer): boolean {
  const { algorithm, hex } = splitDigest(name as Digest);
  return algorithm !== "" && hash(algorithm, bytes) === hex;
}

/** Pushes as docker does: asks for each blob, mounts or sends those that are missing, then sends the manifest. */
export async function pushByRequests(
  remote: Remote,
  content: Content,
  repository: string,
  tag: string,
  mountsFrom?: string,
): Promise<void> {
  for (const part of content.parts)
    if (!(await hasBlob(remote, repository, digest(part))))
      await sendBlob(remote, repository, part, mountsFrom);
  await sendManifest(remote, repository, content, tag);
}
