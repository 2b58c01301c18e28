import type { Content } from "./oci-content.ts";

/**
 * Pushes an image with everything below it by plain requests, to a tag or, without one, to its digest. Unlike skopeo it
 * takes indexes of indexes and artefacts, and costs milliseconds.
 */
export async function upload(url: string, content: Content, repository: string, tag?: string): Promise<void> {
  for (const part of content.parts)
    await (part.parts.length > 0 ? upload(url, part, repository) : uploadBlob(url, part, repository));
  const target = `${url}/v2/${repository}/manifests/${tag ?? content.descriptor.digest}`;
  const headers = { "content-type": content.descriptor.mediaType };
  await expectStatus(201, "PUT", target, { headers, body: content.bytes });
}

async function uploadBlob(url: string, { descriptor, bytes }: Content, repository: string): Promise<void> {
  const begun = await expectStatus(202, "POST", `${url}/v2/${repository}/blobs/uploads/`);
  const place = new URL(begun.headers.get("location") ?? "", url);
  place.searchParams.set("digest", descriptor.digest);
  const headers = { "content-type": "application/octet-stream" };
  await expectStatus(201, "PUT", place.href, { headers, body: bytes });
}

async function expectStatus(
  expected: number,
  method: string,
  target: string,
  init: RequestInit = {},
): Promise<Response> {
  const reply = await fetch(target, { ...init, method });
  const text = await reply.text();
  if (reply.status !== expected) throw new Error(`${method} ${target} answered ${reply.status}: ${text}`);
  return reply;
}
