import type { Request } from "./exchange.ts";
import type { Attempt, TrySend } from "./retry.ts";

const mostRedirects = 5;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Follows an answer that names another location, as registries do whose blobs lie in object storage. The authorisation
 * goes to the origin that was asked alone, and what began with TLS goes on with TLS.
 *
 * Source: OCI distribution spec, "Pulling blobs"; RFC 9110, "Redirection 3xx".
 */
export function createFollowingSend(send: TrySend): TrySend {
  return async (first, request = {}) => {
    let url = first;
    for (let hop = 0; ; hop += 1) {
      const isElsewhere = hop > 0 && new URL(url).origin !== new URL(first).origin;
      const attempt = await send(url, isElsewhere ? withoutAccount(request) : request);
      const target = targetOf(attempt, url);
      if (target === undefined) return isElsewhere ? fromStorage(attempt, url) : attempt;
      const from = new URL(url).protocol;
      if (target.protocol !== "https:" && target.protocol !== from)
        return { state: "untrusted", reason: `names another location without TLS, ${target.origin}` };
      if (hop >= mostRedirects)
        return { state: "untrusted", reason: `names another location more than ${hop} times` };
      url = target.href;
    }
  };
}

/** The location that an answer names; undefined when it is the last. */
function targetOf(attempt: Attempt, url: string): URL | undefined {
  if (attempt.state !== "answered" || !redirects.has(attempt.answer.status)) return undefined;
  const location = attempt.answer.headers.get("location");
  return location === null ? undefined : (URL.parse(location, url) ?? undefined);
}

function withoutAccount({ account: _account, headers, ...rest }: Request): Request {
  const { authorization: _authorization, ...others } = headers ?? {};
  return { ...rest, headers: others };
}

/** What a storage refuses says nothing about the registry's account, and its challenge is none of the registry's. */
function fromStorage(attempt: Attempt, url: string): Attempt {
  const status = attempt.state === "answered" ? attempt.answer.status : undefined;
  if (status !== 401 && status !== 403) return attempt;
  return {
    state: "untrusted",
    reason: `names another location, ${new URL(url).origin}, which answers ${status}`,
  };
}
