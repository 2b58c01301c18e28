import * as v from "valibot";
import type { Unreadable } from "../source.ts";
import type { Reply, Requests } from "./requests.ts";

/** A list that a registry gives page by page. */
interface List<T> {
  readonly url: URL;
  readonly scope: string;
  readonly schema: v.GenericSchema<unknown, readonly T[]>;
  /** Called when a 404 says that there is nothing to list; without it, that is no answer. */
  readonly onMissing?: () => void;
}

type Asking = Pick<Requests, "ask" | "fault">;

/** The names of a page. A registry that has none answers with an empty list, with null, or without the field. */
export function listOf<T>(item: v.GenericSchema<unknown, T>) {
  return v.nullish(v.array(item), []);
}

/**
 * All names of a list, page by page; one {@link Unreadable} at the end when the rest cannot be had.
 *
 * Source: OCI distribution spec, "Listing tags".
 */
export async function* readPages<T>(requests: Asking, list: List<T>): AsyncGenerator<T | Unreadable> {
  const seen = new Set<string>();
  for (let url: URL | undefined = list.url; url; ) {
    seen.add(url.href);
    const reply: Reply = await requests.ask(url.href, { scope: list.scope });
    if (reply.state === "unreadable") return yield reply;
    if (reply.state === "missing") {
      if (!list.onMissing) return yield requests.fault("unexpected", url.href, "answers 404");
      return list.onMissing();
    }
    if (reply.state !== "found") return yield requests.fault("unavailable", url.href, reply.reason);
    const names = parsePage(reply.body, list.schema);
    if (!names) return yield requests.fault("unexpected", url.href, "answers something else than a list");
    yield* names;
    const next: URL | undefined = nextLink(reply.headers.get("link"), url);
    // The account goes along, so never to another server; and a list that leads in a circle has no end.
    if (next && next.origin !== url.origin)
      return yield requests.fault("unexpected", url.href, `names a next page elsewhere, ${next.origin}`);
    if (next && seen.has(next.href))
      return yield requests.fault("unexpected", url.href, "names a next page that was read before");
    url = next;
  }
}

function parsePage<T>(
  body: Uint8Array,
  schema: v.GenericSchema<unknown, readonly T[]>,
): readonly T[] | undefined {
  try {
    const document: unknown = JSON.parse(new TextDecoder().decode(body));
    const parsed = v.safeParse(schema, Array.isArray(document) ? undefined : document);
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The next page that a Link header names, on whatever server.
 *
 * Source: OCI distribution spec, "Listing tags"; RFC 8288.
 */
function nextLink(link: string | null, current: URL): URL | undefined {
  const [, target] = /<([^>]*)>\s*;\s*rel="?next"?/.exec(link ?? "") ?? [];
  return target === undefined ? undefined : (URL.parse(target, current.href) ?? undefined);
}
