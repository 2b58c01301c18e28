import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Agent as TlsAgent } from "node:https";

/** User and password of the registry's account. */
export interface Account {
  readonly user: string;
  readonly password: string;
}

/**
 * What becomes of an answer's body, instead of being kept up to 16 MiB. `hash`: it is hashed by this algorithm and thrown
 * away, however long it is. `firstBytes`: reading ends there, and the connection with it. `stream`: the caller reads it.
 */
export type BodyUse = { readonly hash: string } | { readonly firstBytes: number } | "stream";

export interface Request {
  /** @default GET */
  readonly method?: "GET" | "HEAD" | "POST" | "PUT";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly account?: Account;
  /** Which authorities and which client certificate to use, where they are not those of all other requests. */
  readonly agent?: TlsAgent;
  readonly use?: BodyUse;
  /** A server that sends no byte for so long does not answer. @default {@link defaultTimeoutSeconds} */
  readonly timeoutSeconds?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** Empty where it was hashed, or is to be streamed. */
  readonly body: Uint8Array;
  /** Whether more would have come after `body`. */
  readonly isPartRead?: boolean;
  readonly hashed?: { readonly hex: string; readonly sizeBytes: number };
  /** Of a 200 or 206 whose body is to be streamed. Errors: those of the connection. */
  readonly stream?: AsyncIterable<Uint8Array>;
}

/** Headers of an answer, by their names in lower case. */
export interface AnswerHeaders {
  readonly get: (name: string) => string | null;
}

/** The server began to answer and closed the connection before the end. `answer` is what came until then. */
export class BrokenOffError extends Error {
  readonly code = "ECONNRESET";
  readonly answer: Answer;
  /** Bytes of the body, kept or not. */
  readonly receivedBytes: number;

  constructor(answer: Answer, receivedBytes: number) {
    super(`answers ${answer.status} and breaks off after ${receivedBytes} bytes`);
    this.name = "BrokenOffError";
    this.answer = answer;
    this.receivedBytes = receivedBytes;
  }
}

export const defaultTimeoutSeconds = 10;
/** Far above any manifest or catalogue page; keeps a stray answer from filling the memory. */
const bodyLimitBytes = 16 * 1024 * 1024;

/**
 * Connections are kept, as a probe asks ten thousand times. Node's `fetch` closes its connection after each HEAD and
 * takes five times the processor; see docs/adr/0008-node-http-for-registries.md.
 */
function createClients() {
  // Not by `import`, which loads all that Node has for the web: each program and each of its threads would begin with that.
  const [plain, tls] = [process.getBuiltinModule("node:http"), process.getBuiltinModule("node:https")];
  return {
    plainRequest: plain.request,
    plainAgent: new plain.Agent({ keepAlive: true }),
    tlsRequest: tls.request,
    tlsAgent: new tls.Agent({ keepAlive: true }),
  };
}

let clients: ReturnType<typeof createClients> | undefined;

/**
 * One request, one answer, whatever it says; no redirect is followed, so no password ever follows one.
 *
 * Errors: those of the connection, with Node's code; {@link BrokenOffError}; ETIMEDOUT when nothing comes for too long;
 * {@link tooLongCode}.
 */
export function sendOnce(url: string, request: Request): Promise<Answer> {
  const { use, timeoutSeconds = defaultTimeoutSeconds } = request;
  return new Promise((resolve, reject) => {
    const outgoing = open(url, request);
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      outgoing.destroy(timeoutError(timeoutSeconds));
    }, timeoutSeconds * 1000);
    const settle = <T>(done: (value: T) => void) => {
      return (value: T) => {
        clearTimeout(timer);
        done(value);
      };
    };
    outgoing.once("error", settle(reject));
    outgoing.once("response", (incoming) => {
      if (use === "stream" && (incoming.statusCode === 200 || incoming.statusCode === 206))
        return settle(resolve)({ ...toAnswer(incoming), stream: streamBody(incoming, timeoutSeconds) });
      readBody(incoming, use, {
        onProgress: () => timer.refresh(),
        onEnd: settle(resolve),
        // A connection that was ended here ends like one that the server ended.
        onFault: settle((fault) => reject(isLate ? timeoutError(timeoutSeconds) : fault)),
      });
    });
    outgoing.end(request.body);
  });
}

function open(url: string, { method = "GET", headers, account, agent }: Request) {
  const { protocol, hostname, port, pathname, search } = new URL(url);
  const options = {
    // Node takes an IPv6 address without the brackets that it has in a URL.
    host: hostname.startsWith("[") ? hostname.slice(1, -1) : hostname,
    port: port === "" ? undefined : port,
    path: pathname + search,
    method,
    headers: { "user-agent": "regwarden", ...headers, ...(account && { authorization: basic(account) }) },
  };
  clients ??= createClients();
  if (protocol === "https:") return clients.tlsRequest({ ...options, agent: agent ?? clients.tlsAgent });
  return clients.plainRequest({ ...options, agent: clients.plainAgent });
}

function timeoutError(seconds: number): Error {
  return Object.assign(new Error(`no answer for ${seconds} s`), { code: "ETIMEDOUT" });
}

/** Code of an answer that is longer than any that is kept. */
export const tooLongCode = "ERR_TOO_LONG";

function tooLongError(): Error {
  const message = `answers with more than ${bodyLimitBytes} bytes`;
  return Object.assign(new Error(message), { code: tooLongCode });
}

interface Reading {
  readonly onProgress: () => void;
  readonly onEnd: (answer: Answer) => void;
  readonly onFault: (fault: Error) => void;
}

/** By events and not by an async iterator, which costs a third of a small request. */
function readBody(incoming: IncomingMessage, use: BodyUse | undefined, reading: Reading): void {
  const { onProgress, onEnd, onFault } = reading;
  // Any other answer says in its body what is wrong.
  const isFound = incoming.statusCode === 200 || incoming.statusCode === 206;
  const hash = isFound && typeof use === "object" && "hash" in use ? createHash(use.hash) : undefined;
  const enoughBytes = typeof use === "object" && "firstBytes" in use ? use.firstBytes : undefined;
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  const body = () => (chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
  incoming.on("data", (chunk: Uint8Array) => {
    onProgress();
    sizeBytes += chunk.byteLength;
    if (hash) return void hash.update(chunk);
    chunks.push(chunk);
    if (enoughBytes !== undefined && sizeBytes >= enoughBytes) {
      onEnd({ ...toAnswer(incoming, body()), isPartRead: true });
      incoming.destroy();
    } else if (sizeBytes > bodyLimitBytes) {
      onFault(tooLongError());
      incoming.destroy();
    }
  });
  incoming.once("end", () => {
    if (hash) onEnd({ ...toAnswer(incoming), hashed: { hex: hash.digest("hex"), sizeBytes } });
    else onEnd(toAnswer(incoming, body()));
  });
  incoming.once("error", () => onFault(new BrokenOffError(toAnswer(incoming, body()), sizeBytes)));
}

async function* streamBody(incoming: IncomingMessage, timeoutSeconds: number): AsyncGenerator<Uint8Array> {
  const chunks = incoming[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  try {
    for (;;) {
      // Only while bytes are waited for: a caller may take its time with those that it has.
      const timer = setTimeout(() => incoming.destroy(timeoutError(timeoutSeconds)), timeoutSeconds * 1000);
      const next = await chunks.next().finally(() => clearTimeout(timer));
      if (next.done) return;
      yield next.value;
    }
  } finally {
    incoming.destroy();
  }
}

function toAnswer({ statusCode = 0, headers }: IncomingMessage, body: Uint8Array = new Uint8Array()): Answer {
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
