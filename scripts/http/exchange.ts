import { createHash } from "node:crypto";
import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";

/** User and password of the registry's account. */
export interface Account {
  readonly user: string;
  readonly password: string;
}

export interface Request {
  /** @default GET */
  readonly method?: "GET" | "HEAD" | "POST" | "PUT";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly account?: Account;
  /** Whom to trust, and how to show who asks, where that is not as for all others. */
  readonly agent?: TlsAgent;
  /** The answer's body is hashed by this algorithm and thrown away, however long it is. */
  readonly hashOnly?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** Empty where only its hash was wanted. */
  readonly body: Uint8Array;
  /** Only where it was wanted. */
  readonly hashed?: { readonly hex: string; readonly sizeBytes: number };
}

/** Headers of an answer, by their names in lower case. */
export interface AnswerHeaders {
  readonly get: (name: string) => string | null;
}

const timeoutSeconds = 10;
/** Far above any manifest or catalogue page; keeps a stray answer from filling the memory. */
const bodyLimitBytes = 16 * 1024 * 1024;

/**
 * Connections are kept, as a probe asks ten thousand times. Node's `fetch` closes its connection after each HEAD and
 * takes five times the processor; see docs/adr/0008-node-http-for-registries.md.
 */
const plainAgent = new PlainAgent({ keepAlive: true });
const tlsAgent = new TlsAgent({ keepAlive: true });

/**
 * One request, one answer, whatever it says; no redirect is followed, so no password ever follows one.
 *
 * Errors: those of the connection, with Node's code; ETIMEDOUT when the answer is not whole in time, or, where only its
 * hash is wanted, stops coming.
 */
export function sendOnce(url: string, request: Request): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = open(url, request);
    const timer = setTimeout(() => outgoing.destroy(timeoutError()), timeoutSeconds * 1000);
    const settle = <T>(done: (value: T) => void) => {
      return (value: T) => {
        clearTimeout(timer);
        done(value);
      };
    };
    outgoing.once("error", settle(reject));
    outgoing.once("response", (incoming) => {
      const { hashOnly } = request;
      const reading =
        hashOnly === undefined ? readBody(incoming) : hashBody(incoming, hashOnly, () => timer.refresh());
      reading.then(settle(resolve), settle(reject));
    });
    outgoing.end(request.body);
  });
}

function open(url: string, { method = "GET", headers, account, agent }: Request) {
  const target = new URL(url);
  const all = {
    "user-agent": "regwarden",
    ...headers,
    ...(account && { authorization: basic(account) }),
  };
  if (target.protocol === "https:")
    return tlsRequest(target, { method, headers: all, agent: agent ?? tlsAgent });
  return plainRequest(target, { method, headers: all, agent: plainAgent });
}

function timeoutError(): Error {
  return Object.assign(new Error(`no whole answer within ${timeoutSeconds} s`), { code: "ETIMEDOUT" });
}

async function readBody(incoming: IncomingMessage): Promise<Answer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength;
    if (length > bodyLimitBytes) throw new Error(`the answer is longer than ${bodyLimitBytes} bytes`);
    chunks.push(chunk);
  }
  return toAnswer(incoming, Buffer.concat(chunks));
}

async function hashBody(incoming: IncomingMessage, algorithm: string, onChunk: () => void): Promise<Answer> {
  const hash = createHash(algorithm);
  let sizeBytes = 0;
  for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
    onChunk();
    sizeBytes += chunk.byteLength;
    hash.update(chunk);
  }
  return { ...toAnswer(incoming, new Uint8Array()), hashed: { hex: hash.digest("hex"), sizeBytes } };
}

function toAnswer({ statusCode = 0, headers }: IncomingMessage, body: Uint8Array): Answer {
  const get = (name: string) => {
    const value = headers[name];
    return value === undefined ? null : Array.isArray(value) ? value.join(", ") : value;
  };
  return { status: statusCode, headers: { get }, body };
}

/** The header for an account. */
export function basic({ user, password }: Account): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}
