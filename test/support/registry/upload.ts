import type { Digest } from "../../../scripts/registry/digest.ts";
import { type Content, isManifest } from "../images/oci-content.ts";

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

/**
 * Pushes an image with everything below it, to a tag or, without one, to its digest. `mountsFrom`: a repository whose blobs
 * are mounted where it has them.
 */
export async function upload(
  target: Target,
  content: Content,
  repository: string,
  tag?: string,
  mountsFrom?: string,
): Promise<void> {
  for (const part of content.parts)
    await (isManifest(part)
      ? upload(target, part, repository, undefined, mountsFrom)
      : uploadBlob(target, part, repository, mountsFrom));
  await uploadManifest(target, content, repository, tag ?? content.descriptor.digest);
}

/** Pushes the blobs below a manifest, as a client does that ends before it sends a manifest. */
export async function uploadBlobs(
  target: Target,
  { parts }: Content,
  repository: string,
  mountsFrom?: string,
): Promise<void> {
  for (const part of parts)
    await (isManifest(part)
      ? uploadBlobs(target, part, repository, mountsFrom)
      : uploadBlob(target, part, repository, mountsFrom));
}

/** Pushes a manifest whose parts are there already. */
export async function uploadManifest(
  target: Target,
  { descriptor, bytes }: Content,
  repository: string,
  reference: string,
): Promise<void> {
  const headers = { "content-type": descriptor.mediaType };
  await expectStatus([201], target, "PUT", `/v2/${repository}/manifests/${reference}`, {
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
  await expectStatus([201], target, "POST", `/v2/${repository}/blobs/uploads/?${query}`);
}

/** Removes a manifest, and with it the tags that lead to it. */
export async function deleteManifest(target: Target, repository: string, digest: Digest): Promise<void> {
  await expectStatus([202], target, "DELETE", `/v2/${repository}/manifests/${digest}`);
}

/** Sends the first bytes of a blob, and no more. */
export async function beginUpload(
  target: Target,
  repository: string,
  bytes: Content["bytes"],
): Promise<void> {
  const begun = await expectStatus([202], target, "POST", `/v2/${repository}/blobs/uploads/`);
  await expectStatus([202], target, "PATCH", locationOf(begun, target).href, {
    headers: binary,
    body: bytes,
  });
}

const binary = { "content-type": "application/octet-stream" };

async function uploadBlob(
  target: Target,
  { descriptor: { digest }, bytes }: Content,
  repository: string,
  mountsFrom?: string,
): Promise<void> {
  // 2.8.3 links what is mounted by another algorithm's digest to a blob that no store has.
  const mayMount = mountsFrom !== undefined && digest.startsWith("sha256:");
  const query = mayMount ? `?${new URLSearchParams({ mount: digest, from: mountsFrom })}` : "";
  const begun = await expectStatus([201, 202], target, "POST", `/v2/${repository}/blobs/uploads/${query}`);
  if (begun.status === 201) return;
  const location = locationOf(begun, target);
  location.searchParams.set("digest", digest);
  await expectStatus([201], target, "PUT", location.href, { headers: binary, body: bytes });
}

function locationOf({ headers }: Response, { url }: Target): URL {
  return new URL(headers.get("location") ?? "", url);
}

/** The header by which a registry knows an account; none without one. */
export function loginHeaders(login: Login | undefined): Readonly<Record<string, string>> {
  if (!login) return {};
  return { authorization: `Basic ${Buffer.from(`${login.user}:${login.password}`).toString("base64")}` };
}

async function expectStatus(
  expected: readonly number[],
  { url, login }: Target,
  method: string,
  path: string,
  { headers, body }: { readonly headers?: Record<string, string>; readonly body?: Content["bytes"] } = {},
): Promise<Response> {
  const target = new URL(path, url);
  const all = { ...headers, ...loginHeaders(login) };
  const reply = await fetch(target, { method, headers: all, ...(body && { body }) });
  const text = await reply.text();
  if (!expected.includes(reply.status))
    throw new Error(`${method} ${target} answered ${reply.status}: ${text}`);
  return reply;
}
