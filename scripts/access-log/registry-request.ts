import { type Digest, parseDigest } from "../registry/digest.ts";
import { isRepositoryName } from "../registry/reference.ts";
import type { LoggedRequest } from "./parse-line.ts";

/**
 * What a request asked of the registry, if it was about content.
 *
 * Source: OCI distribution spec, "Endpoints".
 */
export type RegistryRequest =
  | {
      readonly about: "manifest";
      readonly repository: string;
      /** A tag or a digest. */
      readonly reference: string;
      readonly digest: Digest | undefined;
    }
  | { readonly about: "blob"; readonly repository: string; readonly digest: Digest }
  /** The end of an upload, or a mount from another repository. */
  | { readonly about: "commit" | "mount"; readonly repository: string; readonly digest: Digest };

/** Undefined for everything else: the catalogue, lists of tags, parts of uploads, what is no request of a registry. */
export function parseRegistryRequest({
  method,
  uri,
}: Pick<LoggedRequest, "method" | "uri">): RegistryRequest | undefined {
  const mark = uri.indexOf("?");
  const [path, query] = mark < 0 ? [uri, ""] : [uri.slice(0, mark), uri.slice(mark + 1)];
  if (!path.startsWith("/v2/")) return undefined;
  const last = path.lastIndexOf("/");
  const [before, name] = [path.slice("/v2/".length, last), path.slice(last + 1)];
  // From the end, because a repository may be called like an endpoint: a/manifests/b.
  if (before.endsWith("/manifests"))
    return manifestRequest(before.slice(0, -"/manifests".length), decode(name));
  if (before.endsWith("/blobs/uploads"))
    return uploadRequest(method, before.slice(0, -"/blobs/uploads".length), query);
  if (!before.endsWith("/blobs")) return undefined;
  const repository = before.slice(0, -"/blobs".length);
  const digest = parseDigest(decode(name));
  return digest && isRepositoryName(repository) ? { about: "blob", repository, digest } : undefined;
}

function manifestRequest(repository: string, reference: string): RegistryRequest | undefined {
  if (!isRepositoryName(repository)) return undefined;
  return { about: "manifest", repository, reference, digest: parseDigest(reference) };
}

function uploadRequest(method: string, repository: string, query: string): RegistryRequest | undefined {
  if (!isRepositoryName(repository)) return undefined;
  const about = method === "POST" ? "mount" : "commit";
  const given = new URLSearchParams(query);
  // A POST with `digest` is a whole upload in one request.
  const text = given.get(about === "mount" ? "mount" : "digest") ?? given.get("digest");
  const digest = parseDigest(text ?? "");
  return digest && { about, repository, digest };
}

/** Some clients write the colon of a digest as %3A. */
function decode(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
