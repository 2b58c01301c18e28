import * as v from "valibot";
import { type Digest, digestOf, parseDigest } from "../../registry/digest.ts";
import { mapBounded } from "../bounded.ts";
import type { LinkFact, ManifestState, Unreadable } from "../source.ts";
import { manifestLocation, manifestQuestion, toManifestState } from "./manifest.ts";
import { listOf, readPages } from "./pages.ts";
import type { Requests } from "./requests.ts";

const schema = v.pipe(
  v.object({ tags: listOf(v.pipe(v.string(), v.nonEmpty())) }),
  v.transform(({ tags }) => tags),
);

/** Manifests of a repository that came with a tag: of many tags that lead to one, each has the same object. */
type Known = Map<Digest, ManifestState>;

/**
 * Tags of a repository with the digests that they lead to now, and the manifests, as one answer has both. A repository
 * without any has no list. `only`: those tags alone, as far as they are listed.
 */
export async function* readTags(
  requests: Requests,
  repository: string,
  only?: ReadonlySet<string>,
): AsyncGenerator<LinkFact> {
  const known: Known = new Map();
  const names = listTags(requests, repository, { only });
  yield* mapBounded(names, requests.concurrency, async (tag): Promise<LinkFact> => {
    if (typeof tag !== "string") return { name: null, link: tag };
    return readTag(requests, repository, tag, known);
  });
}

/** The names of all tags of a repository; null where they cannot be listed, as by an account that may only pull. */
export async function readTagNames(
  requests: Requests,
  repository: string,
): Promise<ReadonlySet<string> | null> {
  const names = new Set<string>();
  let isListed = true;
  const onMissing = () => {
    isListed = false;
  };
  for await (const tag of listTags(requests, repository, { onMissing })) {
    if (typeof tag !== "string") return null;
    names.add(tag);
  }
  return isListed ? names : null;
}

async function* listTags(
  requests: Requests,
  repository: string,
  { only, onMissing = () => {} }: { only?: ReadonlySet<string> | undefined; onMissing?: () => void },
): AsyncGenerator<string | Unreadable> {
  const url = new URL(`/v2/${repository}/tags/list`, requests.origin);
  const scope = `repository:${repository}:pull`;
  for await (const tag of readPages(requests, { url, scope, schema, onMissing }))
    if (typeof tag !== "string" || !only || only.has(tag)) yield tag;
}

/** The digest that a tag leads to now, with its manifest. */
export async function readTag(
  requests: Requests,
  repository: string,
  tag: string,
  known: Known = new Map(),
): Promise<LinkFact> {
  const location = manifestLocation(requests, repository, encodeURIComponent(tag));
  const reply = await requests.ask(location, manifestQuestion(repository));
  if (reply.state === "missing") return { name: tag, link: { state: "missing", location } };
  if (reply.state === "unreadable") return { name: tag, link: reply };
  if (reply.state === "invalid")
    return { name: tag, link: { state: "invalid", location, reason: reply.reason } };
  const header = reply.headers.get("docker-content-digest");
  // The header is a courtesy by the specification; the content says the same.
  const text = header ?? (reply.state === "found" ? digestOf(reply.body) : null);
  if (text === null) return { name: tag, link: { state: "missing", location } };
  const digest = parseDigest(text);
  if (!digest) {
    const reason = "answers with a Docker-Content-Digest that is none";
    return { name: tag, link: requests.fault("unexpected", location, reason) };
  }
  const manifest = known.get(digest) ?? toManifestState(requests, location, digest, reply);
  known.set(digest, manifest);
  return { name: tag, link: { state: "linked", digest }, manifest };
}
