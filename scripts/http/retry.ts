import { describeError, systemCode } from "../cli/errors.ts";
import { type Answer, BrokenOffError, type Request, sendOnce, tooLongCode } from "./exchange.ts";

/** What a request came to after all tries; the last answer of a server that cannot is an answer too. */
export type Attempt =
  | { readonly state: "answered"; readonly answer: Answer }
  | { readonly state: "silent"; readonly reason: string }
  /** The answer began and broke off, each time. It is what came of it. */
  | {
      readonly state: "brokenOff";
      readonly reason: string;
      readonly answer: Answer;
      readonly receivedBytes: number;
    }
  /** A server answers, but cannot be trusted to be the one that was asked, or gives what no registry gives. */
  | { readonly state: "untrusted"; readonly reason: string };

export type TrySend = (url: string, request?: Request) => Promise<Attempt>;

export interface RetryOptions {
  readonly tries: number;
  /** Before the second try; doubled for each further one. */
  readonly pauseSeconds: number;
  /** A server that wants to be left alone for longer is not asked again. */
  readonly retryAfterLimitSeconds: number;
  /** See {@link Request}, for all requests. */
  readonly timeoutSeconds?: number;
  /** Whether another answer may come in a moment. Default: to 429 and all 5xx. */
  readonly isPassing?: (answer: Answer) => boolean;
  /** Called for each request that goes out. */
  readonly onRequest?: () => void;
}

function hasPassingStatus({ status }: Answer): boolean {
  return status === 429 || status >= 500;
}

/** A sender that asks again where that may help. Only for requests that may be repeated. */
export function createRetryingSend(options: RetryOptions): TrySend {
  const { tries, timeoutSeconds, onRequest } = options;
  return async (url, request = {}) => {
    const limited = timeoutSeconds === undefined ? request : { timeoutSeconds, ...request };
    for (let attempt = 1; ; attempt += 1) {
      onRequest?.();
      const outcome = await attemptOnce(url, limited);
      const pause = attempt < tries ? pauseAfter(outcome, attempt, options) : undefined;
      if (pause === undefined) return outcome;
      await new Promise((resolve) => setTimeout(resolve, pause * 1000));
    }
  };
}

/** Seconds to wait before the next try; undefined when there is to be none. */
function pauseAfter(outcome: Attempt, attempt: number, options: RetryOptions): number | undefined {
  const { pauseSeconds, retryAfterLimitSeconds, isPassing = hasPassingStatus } = options;
  const usual = pauseSeconds * 2 ** (attempt - 1);
  if (outcome.state === "silent") return usual;
  // The server is up, so there is no restart to wait for, and of a lost disk there may be thousands.
  if (outcome.state === "brokenOff") return usual / 5;
  if (outcome.state === "untrusted" || !isPassing(outcome.answer)) return undefined;
  const asked = retryAfterSeconds(outcome.answer.headers.get("retry-after"), Date.now());
  if (asked > retryAfterLimitSeconds) return undefined;
  return Math.max(asked, usual);
}

/** A number of seconds or a date. Source: RFC 9110, "Retry-After". */
function retryAfterSeconds(text: string | null, now: number): number {
  if (text === null) return 0;
  const seconds = /^\d+$/.test(text.trim()) ? Number(text) : (Date.parse(text) - now) / 1000;
  return Number.isNaN(seconds) ? 0 : Math.max(0, seconds);
}

async function attemptOnce(url: string, request: Request): Promise<Attempt> {
  try {
    return { state: "answered", answer: await sendOnce(url, request) };
  } catch (error) {
    if (error instanceof BrokenOffError) {
      const { message: reason, answer, receivedBytes } = error;
      return { state: "brokenOff", reason, answer, receivedBytes };
    }
    const code = systemCode(error) ?? "";
    if (code === tooLongCode) return { state: "untrusted", reason: describeError(error) };
    if (isUntrusted(code)) return { state: "untrusted", reason: `TLS: ${describeError(error)} (${code})` };
    return { state: "silent", reason: describeSilence(error) };
  }
}

/** Node's and OpenSSL's codes for a certificate that does not hold. */
function isUntrusted(code: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE/.test(code);
}

function describeSilence(error: unknown): string {
  const code = systemCode(error);
  return code === "ETIMEDOUT" ? "no answer in time" : (code ?? describeError(error));
}
