import * as v from "valibot";
import type { RepositoryFact } from "../source.ts";
import { listOf, readPages } from "./pages.ts";
import type { Requests } from "./requests.ts";

/**
 * Names on one page of the catalogue. Registry 2.8.3 walks its store from the start for each page, gives 100 names where
 * no number is asked for, and refuses more than it is configured for, 1000 by default.
 *
 * Source: distribution v2.8.3, registry/handlers/catalog.go.
 */
const pageSize = 1000;

const scope = "registry:catalog:*";
const schema = v.pipe(
  v.object({ repositories: listOf(v.pipe(v.string(), v.nonEmpty())) }),
  v.transform(({ repositories }) => repositories),
);

/** All repositories of the catalogue, or those after a name. */
export async function* readRepositories(
  requests: Pick<Requests, "origin" | "ask" | "tryAsk" | "fault">,
  after?: string,
): AsyncGenerator<RepositoryFact> {
  const url = new URL("/v2/_catalog", requests.origin);
  if (after !== undefined) url.searchParams.set("last", after);
  const seen = new Set<string>();
  for await (const listed of readPages(withPageSize(requests, url), { url, scope, schema })) {
    if (typeof listed !== "string") yield listed;
    else if (!seen.has(listed)) {
      seen.add(listed);
      yield { state: "found", name: listed };
    }
  }
}

/** Asks for the first page with a size, and without one where the server refuses that; the other pages have addresses. */
function withPageSize(
  requests: Pick<Requests, "ask" | "tryAsk" | "fault">,
  first: URL,
): Pick<Requests, "ask" | "fault"> {
  const ask: Requests["ask"] = async (url, question) => {
    if (url !== first.href) return requests.ask(url, question);
    const sized = new URL(first);
    sized.searchParams.set("n", String(pageSize));
    const reply = await requests.tryAsk(sized.href, question, [400]);
    return reply.state === "refused" ? requests.ask(url, question) : reply;
  };
  return { ask, fault: requests.fault };
}
