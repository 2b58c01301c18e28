import { type ExitCode, exitCodes } from "../../contract/exit-codes.ts";

/** The reasons for which a program cannot go on, and the exit status of each. Callers test the code, never the text. */
const exitCodeOf = {
  E_USAGE: exitCodes.usage,
  E_CONFIGURATION: exitCodes.usage,
  E_STORE_NOT_FOUND: exitCodes.couldNotCheck,
  E_STORE_UNREADABLE: exitCodes.couldNotCheck,
  E_STORE_UNWRITABLE: exitCodes.couldNotCheck,
  E_STORE_LOCKED: exitCodes.couldNotCheck,
  E_OUT_OF_MEMORY: exitCodes.couldNotCheck,
  E_IN_USE: exitCodes.couldNotCheck,
  E_BUDGET: exitCodes.findings,
  E_FREEZE: exitCodes.findings,
  E_FREEZE_BUSY: exitCodes.findings,
  E_REPORT_UNWRITABLE: exitCodes.couldNotCheck,
  E_REGISTRY_UNREACHABLE: exitCodes.couldNotCheck,
  E_REGISTRY_ANSWER: exitCodes.findings,
} as const satisfies Record<string, ExitCode>;

export type ProgramErrorCode = keyof typeof exitCodeOf;

/** A fault that ends the run. The message names what failed, on what, and what to do; it never holds a secret. */
export class ProgramError extends Error {
  readonly code: ProgramErrorCode;

  constructor(code: ProgramErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ProgramError";
    this.code = code;
  }

  get exitCode(): ExitCode {
    return exitCodeOf[this.code];
  }
}

/** The operating system's code of a failed call (`ENOENT`), or undefined for any other fault. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** One short line for any thrown thing. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
