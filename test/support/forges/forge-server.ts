import { serve } from "../server/server.ts";

/** A comment as a forge keeps it. */
export interface Kept {
  readonly id: number;
  readonly author: string;
  body: string;
  /** Written by the forge itself; GitLab lists such notes among the others. */
  readonly isSystem?: boolean;
}

export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly token: string | undefined;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a forge keeps, and how it answers where a fault was not asked for. */
export interface ForgeState {
  readonly url: string;
  readonly comments: Kept[];
  readonly write: (author: string, body: string, isSystem?: boolean) => Kept;
}

export type Answerer = (asked: Asked, state: ForgeState) => Reply;

/** Name of the account whose token `good-token` is. */
export const ownAccount = "regwarden-bot";
export const goodToken = "good-token-of-the-bot";

export interface ForgeServer extends ForgeState {
  readonly asked: readonly Asked[];
  /** Replies that come first, one a request; `undefined` answers as usual, `"silence"` closes the connection. */
  readonly faults: (Reply | "silence" | undefined)[];
}

/** A local server that answers as a forge is documented to. */
export async function startForge(answer: Answerer): Promise<ForgeServer> {
  const asked: Asked[] = [];
  const faults: ForgeServer["faults"] = [];
  const comments: Kept[] = [];
  let written = 0;
  const url = await serve((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      const { method = "", url: path = "", headers } = request;
      const one = { method, path, token: /^Bearer (.*)$/.exec(headers.authorization ?? "")?.[1], body };
      asked.push(one);
      const fault = faults.shift();
      if (fault === "silence") return void response.destroy();
      const reply = fault ?? answer(one, state);
      response.writeHead(reply.status, { "content-type": "application/json", ...reply.headers });
      response.end(reply.body === undefined ? "" : JSON.stringify(reply.body));
    });
  });
  const state: ForgeServer = {
    url,
    comments,
    asked,
    faults,
    write: (author, text, isSystem = false) => {
      written += 1;
      const kept = { id: written, author, body: text, isSystem };
      comments.push(kept);
      return kept;
    },
  };
  return state;
}

/** A page of a list, from 1. */
export function pageOf<T>(all: readonly T[], page: number, size: number): T[] {
  return all.slice((page - 1) * size, page * size);
}
