import { type Digest, parseDigest } from "./digest.ts";
import { repositoryNameLimit } from "./paths.ts";
import { isTagName } from "./tag.ts";

/** An image as people and manifests name it: `HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]`. */
export interface Reference {
  /** `HOST[:PORT]`; null where none is named, which means Docker Hub. */
  readonly host: string | null;
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: Digest | null;
}

/** Why a text is no reference. */
export interface ReferenceFault {
  readonly reason: string;
}

const label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const hostPattern = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const pathPart = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const repositoryPattern = new RegExp(`^${pathPart}(?:/${pathPart})*$`);

/**
 * The reference that a text spells. What stands before the first slash is a host when it could be no repository's first
 * part: it has a dot, a colon or a capital, or is `localhost`.
 *
 * Source: distribution/reference, reference.go, regexp.go and normalize.go.
 */
export function parseReference(text: string): Reference | ReferenceFault {
  const at = text.indexOf("@");
  const digest = at < 0 ? null : parseDigest(text.slice(at + 1));
  if (digest === undefined) return { reason: "what stands after the @ is no digest" };
  const { host, rest } = splitHost(at < 0 ? text : text.slice(0, at));
  if (host !== null && !hostPattern.test(host)) return { reason: `${host} is no host with a port` };
  const colon = rest.indexOf(":");
  const repository = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? null : rest.slice(colon + 1);
  if (!isRepositoryName(repository))
    return {
      reason: repository === "" ? "no repository is named" : `${repository} is no name of a repository`,
    };
  if (tag !== null && !isTagName(tag))
    return { reason: tag === "" ? "the tag is empty" : `${tag} is no tag` };
  return { host, repository, tag, digest };
}

function splitHost(text: string): { readonly host: string | null; readonly rest: string } {
  const slash = text.indexOf("/");
  const first = text.slice(0, Math.max(0, slash));
  const isHost = /[.:A-Z]/.test(first) || first === "localhost";
  return isHost ? { host: first, rest: text.slice(slash + 1) } : { host: null, rest: text };
}

/** Whether a registry could have a repository of this name. */
export function isRepositoryName(text: string): boolean {
  return text.length <= repositoryNameLimit && repositoryPattern.test(text);
}

/** The text that {@link parseReference} reads. */
export function formatReference({ host, repository, tag, digest }: Reference): string {
  const name = host === null ? repository : `${host}/${repository}`;
  return `${name}${tag === null ? "" : `:${tag}`}${digest === null ? "" : `@${digest}`}`;
}

/** How Docker Hub's images are named in full: `nginx` is `docker.io/library/nginx`. */
export function withDefaultHost({
  host,
  repository,
  ...rest
}: Reference): Reference & { readonly host: string } {
  const isHub = host === null || host === "docker.io" || host === "index.docker.io";
  if (!isHub) return { host, repository, ...rest };
  return {
    host: "docker.io",
    repository: repository.includes("/") ? repository : `library/${repository}`,
    ...rest,
  };
}
