import { describeError, ProgramError, systemCode } from "../errors.ts";

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
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/**
 * Sends one request and returns whatever is answered; redirects are answers too, so no password ever follows one.
 *
 * Errors: E_REGISTRY_UNREACHABLE when nobody answers.
 */
export type Send = (url: string, request?: Request) => Promise<Answer>;

/** What a client needs from outside. */
export interface ClientOptions {
  /** How long a service that is just starting is waited for, from the making of the client, for all requests. */
  readonly patienceSeconds: number;
  /** Told once for each address that is waited for. */
  readonly note: (text: string) => void;
}

const requestTimeoutSeconds = 10;
const pauseSeconds = 0.5;
/** Far above any manifest or catalogue page; keeps a stray answer from filling the memory. */
const bodyLimitBytes = 16 * 1024 * 1024;

/** How a service looks from outside while it starts: nobody listens, or a proxy finds nobody behind it. */
const startingCodes: ReadonlySet<string> = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);
const startingStatuses: ReadonlySet<number> = new Set([502, 503]);

/** A client that is patient with services that were restarted a moment ago. */
export function createClient({ patienceSeconds, note }: ClientOptions): Send {
  const deadline = performance.now() + patienceSeconds * 1000;
  const noted = new Set<string>();
  return async (url, request = {}) => {
    for (;;) {
      const outcome = await attempt(url, request);
      const isLate = performance.now() + pauseSeconds * 1000 > deadline;
      if (!outcome.isStarting || isLate) return settle(url, outcome);
      const { origin } = new URL(url);
      if (!noted.has(origin))
        note(`${origin}: ${outcome.description}; waiting up to ${patienceSeconds} s for it.`);
      noted.add(origin);
      await new Promise((resolve) => setTimeout(resolve, pauseSeconds * 1000));
    }
  };
}

interface Outcome {
  readonly isStarting: boolean;
  readonly description: string;
  readonly answer?: Answer;
  readonly error?: unknown;
}

async function attempt(url: string, request: Request): Promise<Outcome> {
  try {
    const answer = await sendOnce(url, request);
    const { status } = answer;
    return { isStarting: startingStatuses.has(status), description: `answers ${status}`, answer };
  } catch (error) {
    const cause = causeOf(error);
    const code = systemCode(cause);
    return { isStarting: startingCodes.has(code ?? ""), description: code ?? describeError(cause), error };
  }
}

/** What lies behind a failed fetch, which hides the reason one level down. */
export function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error;
}

/** One request, one answer, whatever it says; no redirect is followed. */
export async function sendOnce(
  url: string,
  { method = "GET", headers, body, account }: Request,
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { ...headers, ...(account && { authorization: basic(account) }) },
    ...(body && { body }),
    redirect: "manual",
    signal: AbortSignal.timeout(requestTimeoutSeconds * 1000),
  });
  return { status: response.status, headers: response.headers, body: await readBody(response) };
}

/** The header for an account. */
export function basic({ user, password }: Account): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

async function readBody(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > bodyLimitBytes) throw new Error(`the answer is longer than ${bodyLimitBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function settle(url: string, { answer, error, description }: Outcome): Answer {
  if (answer) return answer;
  throw new ProgramError(
    "E_REGISTRY_UNREACHABLE",
    `${new URL(url).origin} does not answer: ${description}.`,
    {
      cause: error,
    },
  );
}
