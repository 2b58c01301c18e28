import * as v from "valibot";
import type { TrySend } from "../../http/retry.ts";
import type { ClusterAccess } from "./access.ts";

/** All objects of one kind, or why not. */
export type Listing<T> =
  | { readonly state: "listed"; readonly items: readonly T[] }
  | {
      readonly state: "unreadable";
      readonly path: string;
      readonly reason: string;
      /** Whether the server refuses the account. */
      readonly isRefused: boolean;
    };

const pageSize = 200;
const pageSchema = v.object({
  metadata: v.optional(v.object({ continue: v.optional(v.string(), "") }), {}),
  items: v.nullish(v.array(v.unknown())),
});

interface Question<T> {
  /** Such as `/api/v1/pods`. */
  readonly path: string;
  readonly schema: v.GenericSchema<unknown, T>;
}

/**
 * All objects below a path, page by page.
 *
 * Errors: none; an answer that is no list, and an object that has not what the schema asks for, are data.
 * Source: Kubernetes documentation, "API concepts", retrieving large results sets in chunks.
 */
export async function listAll<T>(
  send: TrySend,
  access: ClusterAccess,
  question: Question<T>,
): Promise<Listing<T>> {
  const first = await readPages(send, access, question);
  // The server keeps the pages of a list for some minutes only.
  return first === "expired" ? toListing(await readPages(send, access, question), question) : first;
}

function toListing<T>(read: Listing<T> | "expired", { path }: Question<T>): Listing<T> {
  return read === "expired"
    ? { state: "unreadable", path, reason: "answers 410 again and again", isRefused: false }
    : read;
}

async function readPages<T>(
  send: TrySend,
  { server, agent, token }: ClusterAccess,
  { path, schema }: Question<T>,
): Promise<Listing<T> | "expired"> {
  const unreadable = (reason: string, isRefused = false) =>
    ({ state: "unreadable", path, reason, isRefused }) as const;
  const headers = {
    accept: "application/json",
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const items: T[] = [];
  for (let next: string | undefined = ""; next !== undefined; ) {
    const query = new URLSearchParams({ limit: String(pageSize), ...(next !== "" && { continue: next }) });
    const attempt = await send(`${server}${path}?${query}`, { headers, agent });
    if (attempt.state !== "answered") return unreadable(attempt.reason);
    const { status, body } = attempt.answer;
    if (status === 410 && next !== "") return "expired";
    if (status !== 200) {
      const isRefused = status === 401 || status === 403;
      return unreadable(`answers ${status}${status === 403 ? " (forbidden)" : ""}`, isRefused);
    }
    const page = parsePage(body, schema);
    if (!page) return unreadable("answers something else than a list of it");
    items.push(...page.items);
    next = page.next;
  }
  return { state: "listed", items };
}

function parsePage<T>(
  body: Uint8Array,
  schema: v.GenericSchema<unknown, T>,
): { readonly items: readonly T[]; readonly next: string | undefined } | undefined {
  try {
    const { items, metadata } = v.parse(pageSchema, JSON.parse(new TextDecoder().decode(body)));
    return { items: v.parse(v.array(schema), items ?? []), next: metadata.continue || undefined };
  } catch {
    return undefined;
  }
}
