import * as v from "valibot";
import type { RepositoryFact } from "../source.ts";
import { readPages } from "./pages.ts";
import type { Requests } from "./requests.ts";

// A distribution registry that holds nothing answers with null or with an empty list.
const schema = v.pipe(
  v.object({ repositories: v.nullable(v.array(v.pipe(v.string(), v.nonEmpty()))) }),
  v.transform(({ repositories }) => repositories ?? []),
);

/** All repositories of the catalogue. The page's size is left to the server, which refuses one above its own. */
export async function* readRepositories(requests: Requests): AsyncGenerator<RepositoryFact> {
  const url = new URL("/v2/_catalog", requests.origin);
  const scope = "registry:catalog:*";
  const seen = new Set<string>();
  for await (const listed of readPages(requests, { url, scope, schema })) {
    if (typeof listed !== "string") yield listed;
    else if (!seen.has(listed)) {
      seen.add(listed);
      yield { state: "found", name: listed };
    }
  }
}
