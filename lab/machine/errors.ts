/** Stable codes: callers test these, never the text. */
export type LabErrorCode =
  | "E_USAGE"
  | "E_BUSY"
  | "E_NOT_ROOT"
  | "E_COMMAND_FAILED"
  | "E_TIMEOUT"
  | "E_MISSING"
  | "E_CHECKSUM"
  | "E_UNREACHABLE"
  | "E_UNSUPPORTED";

/** A step of the lab that cannot go on. `hint`: what a person can do about it. */
export class LabError extends Error {
  readonly code: LabErrorCode;
  readonly hint: string | undefined;

  constructor(code: LabErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "LabError";
    this.code = code;
    this.hint = options.hint;
  }
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
