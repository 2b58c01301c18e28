import * as v from "valibot";
import { type Challenge, parseChallenge } from "./challenge.ts";
import { type Account, basic } from "./exchange.ts";
import type { TrySend } from "./retry.ts";

/** Whether, and with which header, a request may go out. */
export type Grant =
  | { readonly state: "granted"; readonly header: string | undefined }
  | {
      readonly state: "refused";
      readonly kind: "unauthorised" | "unavailable" | "unexpected";
      readonly reason: string;
    };

/** Answers a registry's challenges with one account. What works once is used from then on. */
export interface Authorization {
  readonly grant: (scope: string) => Promise<Grant>;
  /** Keeps a challenge for the requests to come, before there is a scope to answer it for. */
  readonly learn: (challenge: string | null) => void;
  /** After a 401 to a request that `used` a header: what to try instead. */
  readonly answer: (challenge: string | null, used: string | undefined, scope: string) => Promise<Grant>;
}

const tokenSchema = v.union([
  v.pipe(
    v.object({ token: v.pipe(v.string(), v.nonEmpty()) }),
    v.transform(({ token }) => token),
  ),
  v.pipe(
    v.object({ access_token: v.pipe(v.string(), v.nonEmpty()) }),
    v.transform(({ access_token }) => access_token),
  ),
]);

interface Options {
  readonly origin: string;
  readonly account: Account | undefined;
  readonly send: TrySend;
}

/**
 * Source: distribution docs, "Token Authentication Specification".
 *
 * The account goes to the registry, and to the token server that the registry names where no proxy on the way can have
 * named another; never to a third.
 */
export function createAuthorization({ origin, account, send }: Options): Authorization {
  let known: Challenge | undefined;
  const tokens = new Map<string, Promise<Grant>>();
  const fetchOnce = async (
    challenge: Extract<Challenge, { scheme: "bearer" }>,
    scope: string,
  ): Promise<Grant> => {
    const running = tokens.get(scope);
    if (running) return running;
    const fetched = fetchToken({ origin, account, send }, challenge, scope);
    tokens.set(scope, fetched);
    const fresh = await fetched;
    // The next request may get a token, but not by a wrong password: too many of these lock an account.
    const isFinal = fresh.state === "granted" || fresh.kind === "unauthorised";
    if (!isFinal && tokens.get(scope) === fetched) tokens.delete(scope);
    return fresh;
  };
  const grant = async (scope: string): Promise<Grant> => {
    if (known?.scheme === "bearer") return fetchOnce({ ...known, scope: undefined }, scope);
    const header = known?.scheme === "basic" && account ? basic(account) : undefined;
    return { state: "granted", header };
  };
  return {
    grant,
    learn: (text) => {
      known = parseChallenge(text) ?? known;
    },
    answer: async (text, used, scope) => {
      const challenge = parseChallenge(text);
      if (!challenge) return refused("unauthorised", "answers 401 without a challenge that can be met");
      known = challenge;
      if (challenge.scheme === "basic") return grant(scope);
      // The first request whose token expired drops it; all others with the same token get the one fetched then.
      const current = tokens.get(scope);
      const held = await current;
      const isExpired = held?.state === "granted" && held.header === used;
      if (isExpired && tokens.get(scope) === current) tokens.delete(scope);
      return fetchOnce(challenge, scope);
    },
  };
}

function refused(kind: Extract<Grant, { state: "refused" }>["kind"], reason: string): Grant {
  return { state: "refused", kind, reason };
}

async function fetchToken(
  { origin, account, send }: Options,
  { realm, service, scope: asked }: Extract<Challenge, { scheme: "bearer" }>,
  scope: string,
): Promise<Grant> {
  const url = URL.parse(realm);
  if (!url || !isTrustedRealm(url, new URL(origin)))
    return refused(
      "unexpected",
      `names the token server ${url?.origin ?? realm}, which is not trusted with the account: both must be https`,
    );
  if (service !== undefined) url.searchParams.set("service", service);
  url.searchParams.set("scope", asked ?? scope);
  const attempt = await send(url.href, account && { account });
  const who = `the token server ${url.origin}`;
  if (attempt.state !== "answered")
    return refused(
      attempt.state === "untrusted" ? "unexpected" : "unavailable",
      `${who} gives no token: ${attempt.reason}`,
    );
  return toGrant(who, attempt.answer.status, attempt.answer.body);
}

function toGrant(who: string, status: number, body: Uint8Array): Grant {
  if (status === 401 || status === 403) return refused("unauthorised", `${who} answers ${status}`);
  if (status === 429 || status >= 500) return refused("unavailable", `${who} answers ${status}`);
  if (status !== 200) return refused("unexpected", `${who} answers ${status}`);
  try {
    const token = v.parse(tokenSchema, JSON.parse(new TextDecoder().decode(body)));
    return { state: "granted", header: `Bearer ${token}` };
  } catch {
    // The answer itself is not printed: it may hold a token.
    return refused("unexpected", `${who} answers something else than a token`);
  }
}

/** The registry's own host without less protection than the registry has, or any other when TLS vouches for both. */
function isTrustedRealm(realm: URL, registry: URL): boolean {
  if (realm.username !== "" || realm.password !== "") return false;
  if (realm.protocol === "https:" && registry.protocol === "https:") return true;
  return realm.hostname === registry.hostname && realm.protocol === registry.protocol;
}
