import * as v from "valibot";
import type { Send } from "../../http/client.ts";
import type { Account } from "../../http/exchange.ts";
import { nextLink } from "../../http/next-link.ts";

/** More pages than this are a server that leads in a circle. */
const pageLimit = 10_000;

const pageSchema = v.object({ repositories: v.nullish(v.array(v.string())) });

/** What a registry says it holds: all names when a particular one is looked for, else the first page. */
export interface Catalogue {
  /** Of the last answer. */
  readonly status: number;
  readonly repositories: readonly string[];
}

interface CatalogueRequest {
  readonly send: Send;
  readonly account?: Account;
  /** A name to look for, starting just before it; reading ends where it is found. */
  readonly until?: string;
}

/**
 * Source: OCI distribution spec, "Listing tags" (Link and `last` work alike here); distribution
 * registry/handlers/catalog.go. The page's size is left to the server, which refuses one above its own.
 */
export async function readCatalogue(
  origin: string,
  { send, account, until }: CatalogueRequest,
): Promise<Catalogue> {
  const repositories: string[] = [];
  const first = new URL("/v2/_catalog", origin);
  if (until !== undefined) first.searchParams.set("last", until.slice(0, -1));
  let next: URL | undefined = first;
  let status = 200;
  for (let page = 0; next && page < pageLimit; page += 1) {
    const answer = await send(next.href, account && { account });
    status = answer.status;
    if (status !== 200) break;
    repositories.push(...parsePage(answer.body));
    const isDone = until === undefined || repositories.includes(until);
    const link: URL | undefined = isDone ? undefined : nextLink(answer.headers.get("link"), next);
    // The account goes along, so never to another server.
    next = link?.origin === next.origin ? link : undefined;
  }
  return { status, repositories };
}

function parsePage(body: Uint8Array): readonly string[] {
  try {
    return v.parse(pageSchema, JSON.parse(new TextDecoder().decode(body))).repositories ?? [];
  } catch {
    // Whatever else answers under this path holds no repositories.
    return [];
  }
}
