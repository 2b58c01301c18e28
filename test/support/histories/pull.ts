import { hash } from "node:crypto";
import { type Digest, parseDigest, splitDigest } from "../../../scripts/registry/digest.ts";
import { acceptAnyManifest, mediaTypes } from "../../../scripts/registry/media-types.ts";
import { type Content, digest, isManifest } from "../images/oci-content.ts";
import { type Model, nameOf, repositoryOf, type Tagged, tagsOf } from "./model.ts";

/**
 * What a registry answers to a client that pulls all of a tag, every platform and attestation, and compares each byte with
 * its digest. It knows from the model what was pushed, and nothing of the programs under test.
 */

/** What is wrong with one answer. */
export interface PullFault {
  readonly digest: Digest | null;
  readonly role: "manifest" | "config" | "layer";
  /**
   * `refused`: no 200, or no end. `length`: more or fewer bytes. `other`: the registry says itself that it is another blob.
   * `bytes`: other bytes, which the registry does not know.
   */
  readonly fault: "refused" | "length" | "other" | "bytes";
}

/** By `REPOSITORY:TAG`, what is wrong; empty lists for what is complete. */
export type Pulled = ReadonlyMap<string, readonly PullFault[]>;

/** Pulls every tag of the model. */
export async function pullAll(url: string, model: Model): Promise<Pulled> {
  const pull = createPull(url, model);
  const all = await Promise.all(
    tagsOf(model).map(async (tagged) => [nameOf(tagged), await pull(tagged)] as const),
  );
  return new Map(all);
}

/** Tags with a fault that counts, sorted. */
export function brokenTagsOf(
  pulled: Pulled,
  counts: (fault: PullFault) => boolean = () => true,
): readonly string[] {
  return [...pulled].flatMap(([name, faults]) => (faults.some(counts) ? [name] : []));
}

type Faults = Promise<readonly PullFault[]>;

function createPull(url: string, model: Model): (tagged: Tagged) => Faults {
  const known = new Map<string, Faults>();
  const pullPart = (repository: string, part: Content, role: "config" | "layer"): Faults => {
    const key = JSON.stringify([repository, role, digest(part)]);
    const faults = known.get(key) ?? pull(repository, part, role);
    known.set(key, faults);
    return faults;
  };
  const pull = async (repository: string, part: Content, role: "config" | "layer"): Faults => {
    if (!isManifest(part)) return faultsOf(await ask(url, `${repository}/blobs/${digest(part)}`), part, role);
    return pullManifest(repository, part, await ask(url, `${repository}/manifests/${digest(part)}`));
  };
  const pullManifest = async (repository: string, content: Content, answer: Answer): Faults => {
    const own = faultsOf(answer, content, "manifest");
    if (own.length > 0) return own;
    const parts = content.parts.map((part) => pullPart(repository, part, roleOf(content, part)));
    return (await Promise.all(parts)).flat();
  };
  return async ({ repository, tag }) => {
    const answer = await ask(url, `${repository}/manifests/${tag}`);
    // Damage may have moved the tag: what it leads to then is complete or not like any other.
    const content = answer.says && repositoryOf(model, repository).manifests.get(answer.says);
    if (!content) return [{ digest: null, role: "manifest", fault: "refused" }];
    return pullManifest(repository, content, answer);
  };
}

/** What a client takes it for, by the field that names it or by its media type. */
function roleOf({ bytes }: Content, { descriptor }: Content): "config" | "layer" {
  const { config } = JSON.parse(new TextDecoder().decode(bytes)) as { config?: { digest: string } };
  const isConfig =
    config?.digest === descriptor.digest || descriptor.mediaType === mediaTypes.buildkitCacheConfig;
  return isConfig ? "config" : "layer";
}

interface Answer {
  /** Undefined where it was refused, or broke off. */
  readonly body: Uint8Array | undefined;
  /** The digest that the registry says it is of. */
  readonly says: Digest | undefined;
}

async function ask(url: string, path: string): Promise<Answer> {
  const headers = { accept: `${acceptAnyManifest}, */*`, "accept-encoding": "identity" };
  try {
    const reply = await fetch(`${url}/v2/${path}`, { headers });
    const body = new Uint8Array(await reply.arrayBuffer());
    if (reply.status !== 200) return { body: undefined, says: undefined };
    return { body, says: parseDigest(reply.headers.get("docker-content-digest") ?? "") };
  } catch {
    // The answer began and broke off: the registry's memory promised more than its disk has.
    return { body: undefined, says: undefined };
  }
}

function faultsOf(
  { body, says }: Answer,
  { descriptor: { digest, size } }: Content,
  role: PullFault["role"],
): readonly PullFault[] {
  const { algorithm, hex } = splitDigest(digest);
  if (!body) return [{ digest, role, fault: "refused" }];
  if (body.byteLength !== size) return [{ digest, role, fault: "length" }];
  if (hash(algorithm, body) === hex) return [];
  const isOther = says !== undefined && splitDigest(says).algorithm === algorithm && says !== digest;
  return [{ digest, role, fault: isOther ? "other" : "bytes" }];
}
