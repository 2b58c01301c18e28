import type { DeploymentCheckConfig } from "../../../contract/deployment-check.ts";
import { ProgramError } from "../../cli/errors.ts";
import type { Send } from "../../http/client.ts";
import type { Account } from "../../http/exchange.ts";
import { baseOf, expectStatus, type PushTarget, pushImage } from "../../push/push-image.ts";
import { digestOf } from "../../registry/digest.ts";
import { sentinel } from "../sentinel.ts";

/**
 * Makes sure that the sentinel is in the registry; returns a sentence that says what was done.
 *
 * Errors: E_REGISTRY_UNREACHABLE; E_REGISTRY_ANSWER when the registry refuses or holds another image under the tag.
 */
export async function seedSentinel(
  { url, sentinel: { repository, tag } }: DeploymentCheckConfig["private"],
  account: Account,
  send: Send,
): Promise<string> {
  const target = { origin: url, repository, tag, account, send };
  const name = `${new URL(url).host}/${repository}:${tag}`;
  const present = await currentDigest(target);
  if (present === sentinel.digest) return `The sentinel is there already: ${name}, ${sentinel.digest}`;
  if (present !== undefined) throw anotherImage(name, present);
  const { manifest, mediaType, blobs } = sentinel;
  await pushImage(target, { manifest, mediaType, blobs: blobs.map(({ content }) => content) });
  return `The sentinel was pushed: ${name}, ${sentinel.digest}`;
}

async function currentDigest(target: PushTarget): Promise<string | undefined> {
  const { tag, account, send } = target;
  const url = `${baseOf(target)}/manifests/${tag}`;
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

function anotherImage(name: string, digest: string): ProgramError {
  return new ProgramError(
    "E_REGISTRY_ANSWER",
    `${name} is another image.\n  expected  ${sentinel.digest}\n  got       ${digest}\n` +
      "Nothing was overwritten. Name another tag for the sentinel, or delete that image if it is not used.",
  );
}
