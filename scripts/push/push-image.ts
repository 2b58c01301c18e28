import { ProgramError } from "../cli/errors.ts";
import type { Send } from "../http/client.ts";
import type { Account, Answer } from "../http/exchange.ts";
import { type Digest, digestOf } from "../registry/digest.ts";

/** Where to push to. */
export interface PushTarget {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly repository: string;
  readonly tag: string;
  /** Sent with each request, as it is. */
  readonly account: Account;
  readonly send: Send;
}

/** A manifest, and what has to be there before it. */
export interface Pushed {
  readonly manifest: Uint8Array<ArrayBuffer>;
  readonly mediaType: string;
  readonly blobs: readonly Uint8Array<ArrayBuffer>[];
}

/**
 * Pushes a small image to a tag, blobs that are there already left out.
 *
 * Errors: E_REGISTRY_UNREACHABLE; E_REGISTRY_ANSWER when the registry refuses.
 * Source: OCI distribution spec, "Pushing blobs" (POST then PUT) and "Pushing manifests".
 */
export async function pushImage(target: PushTarget, { manifest, mediaType, blobs }: Pushed): Promise<void> {
  for (const content of blobs) await ensureBlob(target, digestOf(content), content);
  await putManifest(target, manifest, mediaType);
}

/** `ORIGIN/v2/REPOSITORY` */
export function baseOf({ origin, repository }: PushTarget): string {
  return `${origin}/v2/${repository}`;
}

async function ensureBlob(
  target: PushTarget,
  digest: Digest,
  content: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const { account, send } = target;
  const base = baseOf(target);
  const head = await send(`${base}/blobs/${digest}`, { method: "HEAD", account });
  expectStatus(head, [200, 404], `HEAD ${base}/blobs/${digest}`);
  if (head.status === 200) return;
  const start = await send(`${base}/blobs/uploads/`, { method: "POST", account });
  expectStatus(start, [202], `POST ${base}/blobs/uploads/`);
  const upload = uploadUrl(target, start);
  upload.searchParams.set("digest", digest);
  const headers = { "content-type": "application/octet-stream" };
  const put = await send(upload.href, { method: "PUT", headers, body: content, account });
  expectStatus(put, [201], `PUT ${upload.origin}${upload.pathname}`);
}

/** Where the registry wants the upload. Its account is sent along, so it must be the registry itself. */
function uploadUrl(target: PushTarget, { headers }: Answer): URL {
  const { origin } = target;
  const location = headers.get("location");
  const url = URL.parse(location ?? "", `${baseOf(target)}/blobs/uploads/`);
  if (location !== null && url?.origin === origin) return url;
  throw new ProgramError(
    "E_REGISTRY_ANSWER",
    `The registry sends uploads to ${url && location ? url.origin : "nowhere"}, expected ${origin}. Let its proxy pass Host and ` +
      "X-Forwarded-Proto on, or correct http.host in the registry's configuration.",
  );
}

async function putManifest(
  target: PushTarget,
  manifest: Uint8Array<ArrayBuffer>,
  mediaType: string,
): Promise<void> {
  const { tag, account, send } = target;
  const url = `${baseOf(target)}/manifests/${tag}`;
  const put = await send(url, {
    method: "PUT",
    headers: { "content-type": mediaType },
    body: manifest,
    account,
  });
  expectStatus(put, [201], `PUT ${url}`);
}

/** Errors: E_REGISTRY_ANSWER when the status is another. */
export function expectStatus({ status }: Answer, expected: readonly number[], what: string): void {
  if (expected.includes(status)) return;
  const hint =
    status === 401 || status === 403 ? "Check the account and its password." : "See the registry's log.";
  throw new ProgramError(
    "E_REGISTRY_ANSWER",
    `${what} answered ${status}, expected ${expected.join(" or ")}. ${hint}`,
  );
}
