import type { Send } from "../../http/client.ts";
import type { Account, Answer } from "../../http/exchange.ts";
import { readRepositories } from "../../source/http/repository.ts";
import type { Reply, Requests } from "../../source/http/requests.ts";

/** What a registry says it holds: all names when a particular one is looked for, else the first one. */
export interface Catalogue {
  /** Of the last answer. */
  readonly status: number;
  readonly repositories: readonly string[];
}

interface CatalogueRequest {
  readonly send: Send;
  readonly account?: Account;
  /** A name to look for, starting just before it; reading ends where it is found. */
  readonly until?: string;
}

/** The catalogue of a registry. Whatever else answers under its path holds no repositories. */
export async function readCatalogue(
  origin: string,
  { send, account, until }: CatalogueRequest,
): Promise<Catalogue> {
  let status = 200;
  const fault: Requests["fault"] = (kind, location, reason) => ({
    state: "unreadable",
    kind,
    location,
    reason,
  });
  const answerTo = async (url: string) => {
    const answer = await send(url, account && { account });
    status = answer.status;
    return answer;
  };
  const toReply = (answer: Answer, url: string): Reply =>
    answer.status === 200
      ? { ...answer, state: "found" }
      : fault("unexpected", url, `answers ${answer.status}`);
  const ask: Requests["ask"] = async (url) => toReply(await answerTo(url), url);
  const tryAsk: Requests["tryAsk"] = async (url, _question, refusals) => {
    const answer = await answerTo(url);
    return refusals.includes(answer.status) ? { ...answer, state: "refused" } : toReply(answer, url);
  };
  const repositories: string[] = [];
  for await (const fact of readRepositories({ origin, ask, tryAsk, fault }, until?.slice(0, -1))) {
    if (fact.state === "found") repositories.push(fact.name);
    if (until === undefined || repositories.includes(until)) break;
  }
  return { status, repositories };
}
