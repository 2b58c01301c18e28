/**
 * What can go wrong between this program and a host. Callers test the code, people read the text: what failed, on
 * what, expected and got, what to do next. Never holds a secret.
 */
export type HostErrorCode =
  | "E_CONNECTION_CONFIG"
  | "E_HOST_UNREACHABLE"
  | "E_HOST_KEY"
  | "E_HOST_AUTHENTICATION"
  | "E_HOST_LOST"
  | "E_REMOTE"
  | "E_DATA"
  | "E_PREFLIGHT"
  | "E_STATE";

export class HostError extends Error {
  readonly code: HostErrorCode;

  constructor(code: HostErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "HostError";
    this.code = code;
  }
}

/** Whether no command could be run on the host at all: nothing is known of what it has. */
export function isUnreached(error: unknown): error is HostError {
  return error instanceof HostError && error.code.startsWith("E_HOST_");
}

/**
 * A create that failed halfway. What it has made is recorded all the same, so that the next update goes on from there,
 * and a destroy removes it.
 */
export class PartlyCreatedError extends HostError {
  readonly id: string;
  readonly outputs: Record<string, unknown>;

  constructor(id: string, outputs: Record<string, unknown>, cause: unknown) {
    const known = cause instanceof HostError ? cause : undefined;
    super(known?.code ?? "E_REMOTE", messageOf(cause), { cause });
    this.id = id;
    this.outputs = outputs;
  }
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
