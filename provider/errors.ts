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
  | "E_STATE";

export class HostError extends Error {
  readonly code: HostErrorCode;

  constructor(code: HostErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "HostError";
    this.code = code;
  }
}
