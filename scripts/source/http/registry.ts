import { createAuthorization } from "../../http/authorization.ts";
import type { Account } from "../../http/exchange.ts";
import { createRetryingSend } from "../../http/retry.ts";
import { type FaultKind, faultKinds, type RegistrySource } from "../source.ts";
import { readBlob } from "./blob.ts";
import { readManifest } from "./manifest.ts";
import { readRepositories } from "./repository.ts";
import { createRequests, type Requests } from "./requests.ts";
import { readTags } from "./tag.ts";

/** What was asked, and how often in vain. */
export interface Tally {
  readonly requests: number;
  readonly errors: Readonly<Record<FaultKind, number>>;
}

/** A registry that is asked over HTTP. */
export interface HttpRegistry extends RegistrySource {
  /** Whether who shows no account is refused; null when that cannot be said. */
  asksForAccount(): Promise<boolean | null>;
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
}

/** The reader of one registry over HTTP. */
export function httpRegistry({ name, origin, account, concurrency }: HttpRegistryOptions): HttpRegistry {
  let asked = 0;
  const errors = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Record<FaultKind, number>;
  const onRequest = () => {
    asked += 1;
  };
  const onFault = (kind: FaultKind) => {
    errors[kind] += 1;
  };
  const send = createRetryingSend({ tries: 3, pauseSeconds: 0.25, retryAfterLimitSeconds: 30, onRequest });
  const authorization = createAuthorization({ origin, account, send });
  const requests = createRequests({ origin, concurrency, send, authorization, onFault });
  return {
    name,
    repositories: () => readRepositories(requests),
    tags: (repository) => readTags(requests, repository),
    manifest: (repository, digest) => readManifest(requests, repository, digest),
    blob: (repository, digest) => readBlob(requests, repository, digest),
    asksForAccount: () => asksForAccount(requests),
    tally: () => ({ requests: asked, errors: { ...errors } }),
  };
}

async function asksForAccount(requests: Requests): Promise<boolean | null> {
  const place = `${requests.origin}/v2/`;
  const answer = await requests.askAsStranger(place);
  if ("state" in answer) return null;
  if (answer.status === 401) return true;
  if (answer.status === 200) return false;
  const isDown = answer.status === 429 || answer.status >= 500;
  requests.fault(isDown ? "unavailable" : "unexpected", place, `answers ${answer.status}`);
  return null;
}
