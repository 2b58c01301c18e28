/** A request that was not answered as it should be. The text never holds the URL: it may be a secret. */
export class ReportError extends Error {
  override readonly name = "ReportError";
}

const timeoutSeconds = 15;

/** Errors: ReportError, naming `what` and how it failed, for everything but a 2xx answer. */
export async function request(what: string, url: URL, init: RequestInit): Promise<Response> {
  const target = new URL(url);
  const headers = new Headers(init.headers);
  if (target.username !== "" || target.password !== "") {
    // fetch refuses a URL with an account in it, and its message tells the URL.
    const account = `${decodeURIComponent(target.username)}:${decodeURIComponent(target.password)}`;
    headers.set("authorization", `Basic ${Buffer.from(account).toString("base64")}`);
    target.username = "";
    target.password = "";
  }
  const signal = AbortSignal.timeout(timeoutSeconds * 1000);
  // A redirect would turn a POST into a GET, or carry the message to another host.
  const settings = { ...init, headers, signal, redirect: "error" } as const;
  const response = await fetch(target, settings).catch((error: unknown) => {
    throw new ReportError(`${what} cannot be reached: ${reasonOf(error)}`);
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new ReportError(`${what} answered ${response.status}`);
  }
  return response;
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError")
    return `no answer in ${timeoutSeconds} seconds`;
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error) return "code" in cause ? String(cause.code) : cause.message;
  return "the request failed";
}
