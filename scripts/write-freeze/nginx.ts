import * as v from "valibot";
import { type FreezeStatus, freezeLimits, freezePaths } from "../../contract/write-freeze.ts";
import { describeError, ProgramError } from "../cli/errors.ts";

const statusSchema: v.GenericSchema<unknown, FreezeStatus> = v.object({
  frozen: v.boolean(),
  until: v.nullable(v.number()),
  held: v.number(),
  probes: v.number(),
  manifestPuts: v.number(),
  commits: v.number(),
});

const TIMEOUT_MS = 2000;

/** What nginx says of the freeze. Errors: E_FREEZE when it does not answer, or something else does. */
export async function freezeState(statusUrl: string): Promise<FreezeStatus> {
  try {
    const response = await fetch(statusUrl, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: "error" });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    return v.parse(statusSchema, await response.json());
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new ProgramError(
      "E_FREEZE",
      `${statusUrl} does not say whether writes are held: ${describeError(cause)}. ` +
        "Nothing is changed without knowing it: look whether nginx runs, with its module for JavaScript.",
      { cause: error },
    );
  }
}

/** A request that nginx holds as it holds writes. */
export interface Probe {
  /** What it got, if it was not held: a status or a fault. */
  readonly answer: () => string | undefined;
  readonly stop: () => void;
}

/** Sends it; it stays open until it is stopped or answered. */
export function startProbe(statusUrl: string): Probe {
  const controller = new AbortController();
  let answer: string | undefined;
  const url = new URL(freezePaths.probe, statusUrl);
  const limit = AbortSignal.timeout((freezeLimits.hardStopSeconds + 10) * 1000);
  fetch(url, { method: "POST", signal: AbortSignal.any([controller.signal, limit]) }).then(
    ({ status }) => {
      answer = `the answer ${status}`;
    },
    (error: unknown) => {
      answer = describeError(error);
    },
  );
  return { answer: () => answer, stop: () => controller.abort() };
}
