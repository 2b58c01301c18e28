import { describeError, ProgramError, systemCode } from "../cli/errors.ts";
import { type Answer, type Request, sendOnce } from "./exchange.ts";

/**
 * Sends one request and returns whatever is answered; redirects are answers too, so no password ever follows one.
 *
 * Errors: E_REGISTRY_UNREACHABLE when no server answers.
 */
export type Send = (url: string, request?: Request) => Promise<Answer>;

/** What a client needs from outside. */
export interface ClientOptions {
  /** How long a service that is just starting is waited for, from the making of the client, for all requests. */
  readonly patienceSeconds: number;
  /** Called once for each address that is waited for. */
  readonly note: (text: string) => void;
}

const pauseSeconds = 0.5;

/** A service from outside while it starts: no process listens, or a proxy finds no backend. */
const startingCodes: ReadonlySet<string> = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE"]);
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
    const code = systemCode(error);
    return { isStarting: startingCodes.has(code ?? ""), description: code ?? describeError(error), error };
  }
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
