import { describeError, ProgramError } from "../cli/errors.ts";

/** How long services that were just restarted are waited for. */
export const patienceSeconds = 30;

/** What one assertion about the deployment came to. */
export interface Check {
  /** What is asserted, as a phrase. */
  readonly title: string;
  readonly holds: boolean;
  /** Whether a service answered. */
  readonly isReached: boolean;
  readonly expected: string;
  readonly got: string;
  /** What to do when it does not hold. */
  readonly hint: string;
  /** Worth reporting although it holds. */
  readonly note?: string;
}

/** What an assertion saw: nothing to do means that it holds. */
export interface Observation {
  readonly got: string;
  readonly hint?: string | undefined;
  readonly note?: string | undefined;
}

/**
 * Runs one assertion; that no service answers is a result too, so that all others are still checked.
 *
 * Errors: only those that are not about the deployment.
 */
export async function check(
  title: string,
  expected: string,
  observe: () => Promise<Observation>,
): Promise<Check> {
  try {
    const { got, hint, note } = await observe();
    const holds = hint === undefined;
    return {
      title,
      holds,
      isReached: true,
      expected,
      got,
      hint: hint ?? "",
      ...(note !== undefined && { note }),
    };
  } catch (error) {
    if (!(error instanceof ProgramError) || error.code !== "E_REGISTRY_UNREACHABLE") throw error;
    const hint =
      "see that the service runs (docker compose ps), that its port is open, and that its name and certificate are right.";
    return { title, holds: false, isReached: false, expected, got: describeError(error), hint };
  }
}
