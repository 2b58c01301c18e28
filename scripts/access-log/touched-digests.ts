import type { Digest } from "../registry/digest.ts";
import type { LoggedRequest } from "./parse-line.ts";
import { type LogReading, readRequests } from "./read-requests.ts";
import { parseRegistryRequest } from "./registry-request.ts";

/** Digests that clients were told to exist, and the repositories in which. */
export interface TouchedDigests extends LogReading {
  readonly digests: ReadonlyMap<Digest, ReadonlySet<string>>;
}

/**
 * The digests that the registry answered for since a time: a client that was told that a blob exists does not upload it
 * again, and its manifest, which comes later, needs it. They are as the clients named them, whatever the algorithm.
 *
 * `since`: milliseconds since 1970. `coverage` says whether the log holds every request since then, see
 * `coverageFault`. Errors: none.
 */
export async function touchedDigests(paths: readonly string[], since: number): Promise<TouchedDigests> {
  const digests = new Map<Digest, Set<string>>();
  const reading = await readRequests(paths, since, (request) => {
    const touched = touchedBy(request);
    if (!touched) return;
    const repositories = digests.get(touched.digest);
    if (repositories) repositories.add(touched.repository);
    else digests.set(touched.digest, new Set([touched.repository]));
  });
  return { ...reading, digests };
}

/** What one request was told to exist; undefined for a request that brought no such answer. */
export function touchedBy(
  request: LoggedRequest,
): { readonly digest: Digest; readonly repository: string } | undefined {
  const { status } = request;
  // 304: the client has it, and was told that it is still there.
  if ((status < 200 || status > 299) && status !== 304) return undefined;
  const asked = parseRegistryRequest(request);
  // A POST that was answered 202 has begun an upload: it was told nothing.
  if (!asked?.digest || (asked.about === "mount" && status !== 201)) return undefined;
  if (request.method === "DELETE") return undefined;
  return { digest: asked.digest, repository: asked.repository };
}
