import type { ForgeAnswer, ForgeRequest } from "./forge.ts";

/** A forge that did not do what it was asked. The text never holds the token. */
export class ForgeError extends Error {
  override readonly name = "ForgeError";
  /** Seconds after which it may; undefined where it will not. */
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, retryAfterSeconds?: number) {
    super(message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export type Send = (request: ForgeRequest) => Promise<ForgeAnswer>;

const timeoutSeconds = 30;
const maxMessageLength = 300;

/**
 * Sends requests with the token, to the forge's own address only: a page's link or a redirect leads it nowhere else.
 *
 * `rights` is what the token needs, for the message of an answer 401, 403 or 404.
 */
export function createSend(name: string, origin: string, token: string, rights: string): Send {
  return async ({ method, url, body }) => {
    if (new URL(url).origin !== origin)
      throw new ForgeError(`${name} names a page at ${new URL(url).origin}, which is not ${origin}`);
    const response = await fetch(url, {
      method,
      headers: {
        accept: "application/json",
        authorization: `Bearer ${token}`,
        "user-agent": "regwarden",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutSeconds * 1000),
    }).catch((cause: unknown) => {
      throw new ForgeError(`${name} at ${origin} cannot be reached: ${reasonOf(cause)}`, 1);
    });
    const text = await response.text().catch((cause: unknown) => {
      throw new ForgeError(`${name} at ${origin} broke off its answer: ${reasonOf(cause)}`, 1);
    });
    if (!response.ok)
      throw refusal(`${name} answered ${response.status} to ${method} ${url}`, response, text, rights);
    return { body: parsed(text), headers: response.headers };
  };
}

/** Source: RFC 9110; docs.github.com, "Rate limits": GitHub refuses for a while by 403 too. */
function refusal(what: string, { status, headers }: Response, text: string, rights: string): ForgeError {
  const message = messageOf(text);
  const full = `${what}${message === "" ? "" : `: ${message}`}`;
  const retryAfter = headers.get("retry-after");
  const isLimited = status === 429 || (status === 403 && retryAfter !== null);
  if (isLimited || status >= 500) return new ForgeError(full, secondsOf(retryAfter));
  if (status === 401) return new ForgeError(`${full}. The token is wrong or has expired`);
  if (status === 403 || status === 404) return new ForgeError(`${full}. The token needs ${rights}`);
  return new ForgeError(full);
}

function secondsOf(header: string | null): number {
  if (header === null) return 1;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? 1 : Math.max(0, seconds);
}

/** `message` is a text with all three; GitLab's may be an object of lists as well. */
function messageOf(text: string): string {
  const body = parsed(text);
  const { message, error } = (body ?? {}) as { message?: unknown; error?: unknown };
  const said = message ?? error ?? "";
  const line = (typeof said === "string" ? said : JSON.stringify(said)).replaceAll(/\s+/g, " ").trim();
  return line.slice(0, maxMessageLength);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (error.name === "TimeoutError") return `no answer for ${timeoutSeconds} s`;
  return cause instanceof Error
    ? cause.message || String((cause as NodeJS.ErrnoException).code)
    : error.message;
}
