import type { Digest } from "../../scripts/registry/digest.ts";
import type { Content } from "./oci-content.ts";

/** Pushes by plain requests: unlike skopeo they take indexes of indexes and artefacts, and cost milliseconds. */

export interface Login {
  readonly user: string;
  readonly password: string;
}

/** Where to push to. */
export interface Target {
  /** `http://HOST:PORT` */
  readonly url: string;
  readonly login?: Login | undefined;
}

/** Pushes an image with everything below it, to a tag or, without one, to its digest. */
export async function upload(
  target: Target,
  content: Content,
  repository: string,
  tag?: string,
): Promise<void> {
  for (const part of content.parts)
    await (part.parts.length > 0 ? upload(target, part, repository) : uploadBlob(target, part, repository));
  await uploadManifest(target, content, repository, tag ?? content.descriptor.digest);
}

/** Pushes a manifest whose parts are there already. */
export async function uploadManifest(
  target: Target,
  { descriptor, bytes }: Content,
  repository: string,
  reference: string,
): Promise<void> {
  const headers = { "content-type": descriptor.mediaType };
  await expectStatus(201, target, "PUT", `/v2/${repository}/manifests/${reference}`, {
    headers,
    body: bytes,
  });
}

/** Brings a blob of one repository into another without sending it. */
export async function mountBlob(
  target: Target,
  digest: Digest,
  from: string,
  repository: string,
): Promise<void> {
  const query = new URLSearchParams({ mount: digest, from });
  await expectStatus(201, target, "POST", `/v2/${repository}/blobs/uploads/?${query}`);
}

async function uploadBlob(target: Target, { descriptor, bytes }: Content, repository: string): Promise<void> {
  const begun = await expectStatus(202, target, "POST", `/v2/${repository}/blobs/uploads/`);
  const location = new URL(begun.headers.get("location") ?? "", target.url);
  location.searchParams.set("digest", descriptor.digest);
  const headers = { "content-type": "application/octet-stream" };
  await expectStatus(201, target, "PUT", location.href, { headers, body: bytes });
}

/** The header by which a registry knows an account; none without one. */
export function loginHeaders(login: Login | undefined): Readonly<Record<string, string>> {
  if (!login) return {};
  return { authorization: `Basic ${Buffer.from(`${login.user}:${login.password}`).toString("base64")}` };
}

async function expectStatus(
  expected: number,
  { url, login }: Target,
  method: string,
  path: string,
  { headers, body }: { readonly headers?: Record<string, string>; readonly body?: Content["bytes"] } = {},
): Promise<Response> {
  const target = new URL(path, url);
  const all = { ...headers, ...loginHeaders(login) };
  const reply = await fetch(target, { method, headers: all, ...(body && { body }) });
  const text = await reply.text();
  if (reply.status !== expected) throw new Error(`${method} ${target} answered ${reply.status}: ${text}`);
  return reply;
}
