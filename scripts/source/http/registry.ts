import { createAuthorization } from "../../http/authorization.ts";
import type { Account } from "../../http/exchange.ts";
import { createRetryingSend } from "../../http/retry.ts";
import type { Digest } from "../../registry/digest.ts";
import {
  type FaultKind,
  faultKinds,
  type LinkFact,
  type ListOptions,
  type RegistrySource,
} from "../source.ts";
import { createBlobReader, type FetchedBlob, fetchBlob, hashBlob } from "./blob.ts";
import { readContent } from "./content.ts";
import { readManifest } from "./manifest.ts";
import { listReferrers, type ReferrerFact } from "./referrers.ts";
import { mayPass } from "./registry-fault.ts";
import { readRepositories } from "./repository.ts";
import { createRequests, type Requests } from "./requests.ts";
import { readTag, readTagNames, readTags } from "./tag.ts";

/** How many requests went out, and how many questions brought no fact. */
export interface Tally {
  readonly requests: number;
  readonly errors: Readonly<Record<FaultKind, number>>;
}

/** The sum over several registries, or checks. */
export function sumTallies(tallies: readonly Tally[]): Tally {
  const sum = (value: (tally: Tally) => number) => tallies.reduce((all, tally) => all + value(tally), 0);
  const errors = faultKinds.map((kind) => [kind, sum((tally) => tally.errors[kind])] as const);
  return {
    requests: sum(({ requests }) => requests),
    errors: Object.fromEntries(errors) as Record<FaultKind, number>,
  };
}

/** A registry that is asked over HTTP. */
export interface HttpRegistry extends RegistrySource {
  /** Whether a client without an account is refused; null when that could not be checked. */
  asksForAccount(): Promise<boolean | null>;
  /** `only`: those tags alone, as far as the registry lists them. */
  tags(
    repository: string,
    options?: ListOptions & { readonly only?: ReadonlySet<string> },
  ): AsyncIterable<LinkFact>;
  /** One tag with its manifest, whatever the lists say. */
  tag(repository: string, tag: string): Promise<LinkFact>;
  /** The names of all tags; null where they cannot be listed. */
  tagNames(repository: string): Promise<ReadonlySet<string> | null>;
  /** A small blob itself. */
  fetch(repository: string, digest: Digest): Promise<FetchedBlob>;
  /** A blob of any size, hashed as it comes. */
  hash(repository: string, digest: Digest): Promise<FetchedBlob>;
  /** What the registry's own list of referrers names; null where it keeps none. */
  referrers(repository: string, subject: Digest): Promise<readonly ReferrerFact[] | null>;
  tally(): Tally;
}

export interface HttpRegistryOptions {
  /** What the findings call it. */
  readonly name: string;
  /** Scheme, host and port. */
  readonly origin: string;
  readonly account: Account | undefined;
  /** Requests in flight. */
  readonly concurrency: number;
  /** How long the registry may be silent. Default: that of all requests. */
  readonly timeoutSeconds?: number;
}

/** The reader of one registry over HTTP. */
export function httpRegistry(options: HttpRegistryOptions): HttpRegistry {
  const { name, origin, account, concurrency, timeoutSeconds } = options;
  let asked = 0;
  const errors = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Record<FaultKind, number>;
  const onRequest = () => {
    asked += 1;
  };
  const onFault = (kind: FaultKind) => {
    errors[kind] += 1;
  };
  const send = createRetryingSend({
    tries: 3,
    pauseSeconds: 0.25,
    retryAfterLimitSeconds: 30,
    isPassing: mayPass,
    onRequest,
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
  });
  const authorization = createAuthorization({ origin, account, send });
  const requests = createRequests({ origin, concurrency, send, authorization, onFault });
  return {
    name,
    repositories: () => readRepositories(requests),
    tags: (repository, options) => readTags(requests, repository, options?.only),
    manifest: (repository, digest) => readManifest(requests, repository, digest),
    blob: createBlobReader(requests),
    tag: (repository, tag) => readTag(requests, repository, tag),
    tagNames: (repository) => readTagNames(requests, repository),
    fetch: (repository, digest) => fetchBlob(requests, repository, digest),
    hash: (repository, digest) => hashBlob(requests, repository, digest),
    referrers: (repository, subject) => listReferrers(requests, repository, subject),
    content: (repository, digest, of) => readContent(requests, repository, digest, of),
    asksForAccount: () => asksForAccount(requests),
    tally: () => ({ requests: asked, errors: { ...errors } }),
  };
}

async function asksForAccount(requests: Requests): Promise<boolean | null> {
  const location = `${requests.origin}/v2/`;
  const answer = await requests.askAsStranger(location);
  if ("state" in answer) return null;
  if (answer.status === 401) return true;
  if (answer.status === 200) return false;
  const isDown = answer.status === 429 || answer.status >= 500;
  requests.fault(isDown ? "unavailable" : "unexpected", location, `answers ${answer.status}`);
  return null;
}
