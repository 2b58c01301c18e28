import { request as plain } from "node:http";
import { request as secure } from "node:https";

/** What a request got, and after how many seconds. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  readonly seconds: number;
}

export interface Sent {
  readonly method?: string;
  /** `USER:PASSWORD` */
  readonly auth?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** Sends a request of its own connection, whatever certificate the server has. Errors: throws when there is no answer. */
export function timedRequest(
  url: string,
  { method = "GET", auth, headers, body }: Sent = {},
): Promise<Answer> {
  const since = performance.now();
  const start = url.startsWith("https:") ? secure : plain;
  return new Promise((resolve, reject) => {
    const options = { method, auth, headers, rejectUnauthorized: false, agent: false };
    const sent = start(url, options, async (answer) => {
      let text = "";
      for await (const chunk of answer) text += chunk;
      const seconds = (performance.now() - since) / 1000;
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text, seconds });
    });
    sent.on("error", reject).end(body);
  });
}
