import pLimit from "p-limit";
import type { Authorization, Grant } from "../../http/authorization.ts";
import type { Answer, BodyUse } from "../../http/exchange.ts";
import { createFollowingSend } from "../../http/redirect.ts";
import type { Attempt, TrySend } from "../../http/retry.ts";
import type { FaultKind, Unreadable } from "../source.ts";
import { type RegistryFault, registryFault } from "./registry-fault.ts";

/** After so many failures in a row the registry is asked whether it is there at all. */
const patienceFailures = 50;

/** What a question to a registry came to. */
export type Reply =
  | ({ readonly state: "found" } & Answer)
  | { readonly state: "missing" }
  /** Each try began with the thing that was asked for, and broke off. */
  | {
      readonly state: "brokenOff";
      readonly reason: string;
      readonly headers: Answer["headers"];
      readonly receivedBytes: number;
    }
  /** The registry has it, and can make no sense of it. */
  | {
      readonly state: "invalid";
      readonly location: string;
      readonly reason: string;
      readonly fault: Exclude<RegistryFault, "storage">;
    }
  | Unreadable;

/** The server does not take the question as it is asked. */
export interface Refusal {
  readonly state: "refused";
  readonly headers: Answer["headers"];
}

interface Question {
  /** @default GET */
  readonly method?: "GET" | "HEAD";
  readonly accept?: string;
  /** What a token must allow, as the registry spells it. */
  readonly scope: string;
  /** Whether the answer may come from another location that the registry names. */
  readonly mayBeElsewhere?: boolean;
  /** See {@link BodyUse}. */
  readonly use?: BodyUse;
  /** A part, as the header spells it; a server may give everything all the same. */
  readonly range?: string;
}

/** Questions to one registry: authorised, bounded, repeated where that helps, and sorted by what they came to. */
export interface Requests {
  readonly origin: string;
  readonly concurrency: number;
  readonly ask: (url: string, question: Question) => Promise<Reply>;
  /** For a question that can be put in another way, after one of these statuses. */
  readonly tryAsk: (url: string, question: Question, refusals: readonly number[]) => Promise<Reply | Refusal>;
  /** Without any account, whatever comes back. */
  readonly askAsStranger: (url: string) => Promise<Answer | Unreadable>;
  /** An answer that is no fact; it is counted. */
  readonly fault: (kind: FaultKind, location: string, reason: string) => Unreadable;
}

interface Options {
  readonly origin: string;
  readonly concurrency: number;
  readonly send: TrySend;
  readonly authorization: Authorization;
  /** Called for each answer that is no fact. */
  readonly onFault: (kind: FaultKind) => void;
}

export function createRequests({ origin, concurrency, send, authorization, onFault }: Options): Requests {
  const limit = pLimit(concurrency);
  const following = createFollowingSend(send);
  const fault: Requests["fault"] = (kind, location, reason) => {
    onFault(kind);
    return { state: "unreadable", kind, location, reason };
  };
  const askOnce = (url: string, question: Question) =>
    askAuthorised(url, question, question.mayBeElsewhere ? following : send, authorization);
  const patience = createPatience(async (scope) => !isAway(await askOnce(`${origin}/v2/`, { scope })));
  const attempt = async (url: string, question: Question): Promise<Attempt | Refused | Unreadable> => {
    // Nothing was asked, so it is no failed request either.
    if (await patience.isOver()) return { ...notAsked, location: url };
    const outcome = await askOnce(url, question);
    patience.take(!isAway(outcome), question.scope);
    return outcome;
  };
  const toReply = (outcome: Attempt | Refused | Unreadable, url: string, question: Question): Reply => {
    if (outcome.state === "unreadable") return outcome;
    if (outcome.state === "refused") return fault(outcome.kind, url, outcome.reason);
    const reply = sortOut(outcome, url, question);
    return reply.state === "fault" ? fault(reply.kind, url, reply.reason) : reply;
  };
  return {
    origin,
    concurrency,
    fault,
    ask: async (url, question) => toReply(await limit(() => attempt(url, question)), url, question),
    tryAsk: async (url, question, refusals) => {
      const outcome = await limit(() => attempt(url, question));
      if (outcome.state === "answered" && refusals.includes(outcome.answer.status))
        return { state: "refused", headers: outcome.answer.headers };
      return toReply(outcome, url, question);
    },
    askAsStranger: async (url) => {
      const outcome = await limit(() => send(url));
      if (outcome.state === "answered") {
        const { status, headers } = outcome.answer;
        if (status === 401) authorization.learn(headers.get("www-authenticate"));
        return outcome.answer;
      }
      return fault(outcome.state === "untrusted" ? "unexpected" : "unavailable", url, outcome.reason);
    },
  };
}

const notAsked = {
  state: "unreadable",
  kind: "unavailable",
  reason: `not asked, after ${patienceFailures} failures in a row`,
} as const;

interface Patience {
  readonly isOver: () => Promise<boolean>;
  readonly take: (isThere: boolean, scope: string) => void;
}

/** Ends when so many requests in a row found no registry, and the one that asks only for it finds none either. */
function createPatience(isThere: (scope: string) => Promise<boolean>): Patience {
  let failuresInARow = 0;
  let check: Promise<boolean> | undefined;
  return {
    isOver: async () => check !== undefined && !(await check),
    take: (hasAnswered, scope) => {
      failuresInARow = hasAnswered ? 0 : failuresInARow + 1;
      if (failuresInARow < patienceFailures || check) return;
      const running = isThere(scope).then((is) => {
        failuresInARow = 0;
        if (is) check = undefined;
        return is;
      });
      check = running;
    },
  };
}

/** Whether the registry, or the token server that it needs, gave no answer of its own. */
function isAway(outcome: Attempt | Refused): boolean {
  if (outcome.state === "refused") return outcome.kind === "unavailable";
  if (outcome.state !== "answered") return outcome.state === "silent";
  return [429, 502, 503, 504].includes(outcome.answer.status);
}

type Refused = Extract<Grant, { state: "refused" }>;

async function askAuthorised(
  url: string,
  { method = "GET", accept, scope, use, range }: Question,
  send: TrySend,
  authorization: Authorization,
): Promise<Attempt | Refused> {
  const sendWith = (authorizationHeader: string | undefined) =>
    send(url, {
      method,
      ...(use !== undefined && { use }),
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

interface Fault {
  readonly state: "fault";
  readonly kind: FaultKind;
  readonly reason: string;
}

/** What an attempt says about the thing that was asked for. Only the registry's own 404 says that it is not there. */
function sortOut(attempt: Attempt, location: string, question: Question): Reply | Fault {
  if (attempt.state === "silent") return { state: "fault", kind: "unavailable", reason: attempt.reason };
  if (attempt.state === "untrusted") return { state: "fault", kind: "unexpected", reason: attempt.reason };
  const { answer } = attempt;
  const { status, headers } = answer;
  const isFound = status === 200 || (question.range !== undefined && status === 206);
  if (attempt.state === "brokenOff") {
    const { reason, receivedBytes } = attempt;
    if (isFound) return { state: "brokenOff", reason, headers, receivedBytes };
    return { state: "fault", kind: "unavailable", reason };
  }
  if (isFound) return { ...answer, state: "found" };
  if (status === 404) return sortOutAbsence(headers);
  const fault = registryFault(answer);
  if (fault === "content")
    return { state: "invalid", location, reason: "answers 500, as what lies there is no manifest", fault };
  if (fault === "link")
    return { state: "invalid", location, reason: "answers 500, as for a link that is no digest", fault };
  const reason = `answers ${status}${fault === "storage" ? ", as it cannot read its storage" : ""}`;
  return { state: "fault", kind: faultKindOf(status), reason };
}

function sortOutAbsence(headers: Answer["headers"]): Reply | Fault {
  const isPage = /^\s*text\/html/i.test(headers.get("content-type") ?? "");
  if (!isPage) return { state: "missing" };
  return { state: "fault", kind: "unexpected", reason: "answers 404 with a web page, as a proxy does" };
}

function faultKindOf(status: number): FaultKind {
  if (status === 401 || status === 403) return "unauthorised";
  return status === 429 || status >= 500 ? "unavailable" : "unexpected";
}
