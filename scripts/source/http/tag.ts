import * as v from "valibot";
import { digestOf, parseDigest } from "../../registry/digest.ts";
import { acceptAnyManifest } from "../../registry/media-types.ts";
import { mapBounded } from "../bounded.ts";
import type { LinkFact, LinkState, Unreadable } from "../source.ts";
import { readPages } from "./pages.ts";
import type { Requests } from "./requests.ts";

const schema = v.pipe(
  v.object({ tags: v.nullable(v.array(v.pipe(v.string(), v.nonEmpty()))) }),
  v.transform(({ tags }) => tags ?? []),
);

/** Tags of a repository with the digests that they lead to now. A repository without any has no list. */
export async function* readTags(requests: Requests, repository: string): AsyncGenerator<LinkFact> {
  yield* mapBounded(listTags(requests, repository), requests.concurrency, async (tag): Promise<LinkFact> => {
    return typeof tag === "string" ? readTag(requests, repository, tag) : { name: null, link: tag };
  });
}

async function* listTags(requests: Requests, repository: string): AsyncGenerator<string | Unreadable> {
  const url = new URL(`/v2/${repository}/tags/list`, requests.origin);
  const scope = `repository:${repository}:pull`;
  yield* readPages(requests, { url, scope, schema, onMissing: () => {} });
}

/** One tag with the digest that it leads to now. */
export async function readTag(requests: Requests, repository: string, tag: string): Promise<LinkFact> {
  return { name: tag, link: await readTagLink(requests, repository, tag) };
}

async function readTagLink(requests: Requests, repository: string, tag: string): Promise<LinkState> {
  const location = `${requests.origin}/v2/${repository}/manifests/${encodeURIComponent(tag)}`;
  const question = { accept: acceptAnyManifest, scope: `repository:${repository}:pull` };
  const reply = await requests.ask(location, { ...question, method: "HEAD" });
  if (reply.state === "missing") return { state: "missing", location };
  if (reply.state === "unreadable") return reply;
  const header = reply.headers.get("docker-content-digest");
  if (header !== null) {
    const digest = parseDigest(header);
    if (digest) return { state: "linked", digest };
    return requests.fault("unexpected", location, "answers with a Docker-Content-Digest that is none");
  }
  // The header is a courtesy by the specification; the content says the same.
  const whole = await requests.ask(location, question);
  if (whole.state === "missing") return { state: "missing", location };
  return whole.state === "unreadable" ? whole : { state: "linked", digest: digestOf(whole.body) };
}
