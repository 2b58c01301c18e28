import type { LoggedRequest } from "../../access-log/parse-line.ts";
import { parseRegistryRequest } from "../../access-log/registry-request.ts";
import type { Digest } from "../../registry/digest.ts";

/** What a client did not get. */
export interface Wanted {
  readonly repository: string;
  /** Null: all that the repository had, as a manifest that was refused does not say which of it is missing. */
  readonly digest: Digest | null;
  /** When it was refused, milliseconds since 1970. */
  readonly time: number;
  /** The request and its answer, for people. */
  readonly request: string;
}

/** Refusals that have nothing to do with what the registry holds: of the account, the method, the size, the pace. */
const aboutOthers: ReadonlySet<number> = new Set([401, 403, 405, 408, 411, 413, 414, 429, 431, 494, 499]);

/** What a request that failed would have needed; undefined for any other. */
export function wantedBy(logged: LoggedRequest): Wanted | undefined {
  const { method, uri, status, time } = logged;
  if (status < 400 || status > 499) return undefined;
  const asked = parseRegistryRequest(logged);
  if (!asked) return undefined;
  const { repository } = asked;
  const request = `${status} for ${method} ${uri.split("?")[0]}`;
  if (method === "PUT" && asked.about === "manifest" && !aboutOthers.has(status))
    return { repository, digest: null, time, request };
  const isRead = (method === "GET" || method === "HEAD") && status === 404;
  if (!isRead || asked.digest === undefined) return undefined;
  return { repository, digest: asked.digest, time, request };
}
