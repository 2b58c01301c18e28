import pLimit from "p-limit";
import type { Authorization, Grant } from "../../http/authorization.ts";
import type { Answer } from "../../http/exchange.ts";
import { createFollowingSend } from "../../http/redirect.ts";
import type { Attempt, TrySend } from "../../http/retry.ts";
import type { FaultKind, Unreadable } from "../source.ts";

/** After this many failures in a row nobody is asked any more: the registry is gone, and waiting helps nobody. */
const patienceFailures = 50;

/** What a question to a registry came to. */
export type Reply =
  | ({ readonly state: "found" } & Pick<Answer, "headers" | "body" | "hashed">)
  | { readonly state: "missing" }
  | Unreadable;

interface Question {
  /** @default GET */
  readonly method?: "GET" | "HEAD";
  readonly accept?: string;
  /** What a token must allow, as the registry spells it. */
  readonly scope: string;
  /** Whether the answer may come from another place that the registry names. */
  readonly mayBeElsewhere?: boolean;
  /** See {@link Request}. */
  readonly hashOnly?: string;
  /** A part, as the header spells it; a server may give the whole all the same. */
  readonly range?: string;
}

/** Questions to one registry: authorised, bounded, repeated where that helps, and sorted by what they came to. */
export interface Requests {
  readonly origin: string;
  readonly concurrency: number;
  readonly ask: (url: string, question: Question) => Promise<Reply>;
  /** Without any account, whatever comes back. */
  readonly askAsStranger: (url: string) => Promise<Answer | Unreadable>;
  /** Says, and counts, that an answer was no look. */
  readonly fault: (kind: FaultKind, location: string, reason: string) => Unreadable;
}

interface Options {
  readonly origin: string;
  readonly concurrency: number;
  readonly send: TrySend;
  readonly authorization: Authorization;
  /** Told of each answer that was no look. */
  readonly onFault: (kind: FaultKind) => void;
}

export function createRequests({ origin, concurrency, send, authorization, onFault }: Options): Requests {
  const limit = pLimit(concurrency);
  let failuresInARow = 0;
  const fault: Requests["fault"] = (kind, location, reason) => {
    onFault(kind);
    return { state: "unreadable", kind, location, reason };
  };
  const ask: Requests["ask"] = async (url, question) => {
    if (failuresInARow >= patienceFailures)
      return fault("unavailable", url, `not asked, after ${patienceFailures} failures in a row`);
    const attempt = await askAuthorised(url, question, send, authorization);
    const reply = attempt.state === "refused" ? attempt : sortOut(attempt, question.range !== undefined);
    const isDown = reply.state === "refused" && reply.kind === "unavailable";
    failuresInARow = isDown ? failuresInARow + 1 : 0;
    return reply.state === "refused" ? fault(reply.kind, url, reply.reason) : reply;
  };
  return {
    origin,
    concurrency,
    fault,
    ask: (url, question) => limit(() => ask(url, question)),
    askAsStranger: async (url) => {
      const attempt = await limit(() => send(url));
      if (attempt.state === "answered") {
        const { status, headers } = attempt.answer;
        if (status === 401) authorization.learn(headers.get("www-authenticate"));
        return attempt.answer;
      }
      return fault(attempt.state === "silent" ? "unavailable" : "unexpected", url, attempt.reason);
    },
  };
}

type Refused = Extract<Grant, { state: "refused" }>;

async function askAuthorised(
  url: string,
  { method = "GET", accept, scope, hashOnly, range, mayBeElsewhere = false }: Question,
  send: TrySend,
  authorization: Authorization,
): Promise<Attempt | Refused> {
  const follow = mayBeElsewhere ? createFollowingSend(send) : send;
  const sendWith = (authorizationHeader: string | undefined) =>
    follow(url, {
      method,
      ...(hashOnly !== undefined && { hashOnly }),
      headers: {
        // A proxy that compresses would hide the length.
        "accept-encoding": "identity",
        ...(accept !== undefined && { accept }),
        ...(range !== undefined && { range }),
        ...(authorizationHeader !== undefined && { authorization: authorizationHeader }),
      },
    });
  const first = await authorization.grant(scope);
  if (first.state === "refused") return first;
  const attempt = await sendWith(first.header);
  if (attempt.state !== "answered" || attempt.answer.status !== 401) return attempt;
  const challenge = attempt.answer.headers.get("www-authenticate");
  const second = await authorization.answer(challenge, first.header, scope);
  if (second.state === "refused") return second;
  return second.header === first.header ? attempt : sendWith(second.header);
}

/** What an attempt says about the thing that was asked for. Only the registry's own 404 says that it is not there. */
function sortOut(attempt: Attempt, isPart: boolean): Reply | Refused {
  if (attempt.state === "silent") return { state: "refused", kind: "unavailable", reason: attempt.reason };
  if (attempt.state === "untrusted") return { state: "refused", kind: "unexpected", reason: attempt.reason };
  const { status, headers } = attempt.answer;
  if (status === 200 || (isPart && status === 206)) return { ...attempt.answer, state: "found" };
  const reason = `answers ${status}`;
  if (status === 401 || status === 403) return { state: "refused", kind: "unauthorised", reason };
  if (status === 429 || status >= 500) return { state: "refused", kind: "unavailable", reason };
  if (status !== 404) return { state: "refused", kind: "unexpected", reason };
  const isPage = /^\s*text\/html/i.test(headers.get("content-type") ?? "");
  if (!isPage) return { state: "missing" };
  return { state: "refused", kind: "unexpected", reason: "answers 404 with a web page, as a proxy does" };
}
