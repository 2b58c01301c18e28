import type { DeploymentCheckConfig } from "../../../contract/deployment-check.ts";
import { ProgramError } from "../../cli/errors.ts";
import type { Send } from "../../http/client.ts";
import type { Account, Answer } from "../../http/exchange.ts";
import { type Digest, digestOf } from "../../registry/digest.ts";
import { sentinel } from "../sentinel.ts";

interface Target {
  readonly origin: string;
  /** `ORIGIN/v2/REPOSITORY` */
  readonly base: string;
  readonly tag: string;
  readonly account: Account;
  readonly send: Send;
}

/**
 * Makes sure that the sentinel is in the registry; returns a sentence that says what was done.
 *
 * Errors: E_REGISTRY_UNREACHABLE; E_REGISTRY_ANSWER when the registry refuses or holds another image under the tag.
 * Source: OCI distribution spec, "Pushing blobs" (POST then PUT) and "Pushing manifests".
 */
export async function seedSentinel(
  { url, sentinel: { repository, tag } }: DeploymentCheckConfig["private"],
  account: Account,
  send: Send,
): Promise<string> {
  const target = { origin: url, base: `${url}/v2/${repository}`, tag, account, send };
  const name = `${new URL(url).host}/${repository}:${tag}`;
  const present = await currentDigest(target);
  if (present === sentinel.digest) return `The sentinel is there already: ${name}, ${sentinel.digest}`;
  if (present !== undefined) throw anotherImage(name, present);
  for (const { digest, content } of sentinel.blobs) await ensureBlob(target, digest, content);
  await putManifest(target);
  return `The sentinel was pushed: ${name}, ${sentinel.digest}`;
}

async function currentDigest({ base, tag, account, send }: Target): Promise<string | undefined> {
  const url = `${base}/manifests/${tag}`;
  const headers = { accept: sentinel.mediaType };
  const head = await send(url, { method: "HEAD", headers, account });
  if (head.status === 404) return undefined;
  expectStatus(head, [200], `HEAD ${url}`);
  const digest = head.headers.get("docker-content-digest");
  if (digest !== null) return digest;
  // The header is not mandatory.
  const full = await send(url, { headers, account });
  expectStatus(full, [200], `GET ${url}`);
  return digestOf(full.body);
}

async function ensureBlob(target: Target, digest: Digest, content: Uint8Array<ArrayBuffer>): Promise<void> {
  const { base, account, send } = target;
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
function uploadUrl({ origin, base }: Target, { headers }: Answer): URL {
  const location = headers.get("location");
  const url = URL.parse(location ?? "", `${base}/blobs/uploads/`);
  if (location !== null && url?.origin === origin) return url;
  throw new ProgramError(
    "E_REGISTRY_ANSWER",
    `The registry sends uploads to ${url && location ? url.origin : "nowhere"}, expected ${origin}. Let its proxy pass Host and ` +
      "X-Forwarded-Proto on, or correct http.host in the registry's configuration.",
  );
}

async function putManifest({ base, tag, account, send }: Target): Promise<void> {
  const url = `${base}/manifests/${tag}`;
  const headers = { "content-type": sentinel.mediaType };
  const put = await send(url, { method: "PUT", headers, body: sentinel.manifest, account });
  expectStatus(put, [201], `PUT ${url}`);
}

function expectStatus({ status }: Answer, expected: readonly number[], what: string): void {
  if (expected.includes(status)) return;
  const hint =
    status === 401 || status === 403
      ? "Check the account and the password on standard input."
      : "See the registry's log.";
  throw new ProgramError(
    "E_REGISTRY_ANSWER",
    `${what} answered ${status}, expected ${expected.join(" or ")}. ${hint}`,
  );
}

function anotherImage(name: string, digest: string): ProgramError {
  return new ProgramError(
    "E_REGISTRY_ANSWER",
    `${name} is another image.\n  expected  ${sentinel.digest}\n  got       ${digest}\n` +
      "Nothing was overwritten. Name another tag for the sentinel, or delete that image if it is not used.",
  );
}
