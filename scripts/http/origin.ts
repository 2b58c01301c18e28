import { systemCode } from "../cli/errors.ts";
import { sendOnce } from "./exchange.ts";

/**
 * Scheme, host and port that a registry is asked at. TLS, unless `plainHttp` was asked for, or a registry on this machine
 * answers without, as development registries do.
 */
export async function originOf(
  host: string,
  { plainHttp, timeoutSeconds }: { readonly plainHttp: boolean; readonly timeoutSeconds: number },
): Promise<string> {
  if (plainHttp) return `http://${host}`;
  const secure = `https://${host}`;
  if (!isLoopback(new URL(secure).hostname)) return secure;
  const speaksTls = await sendOnce(`${secure}/v2/`, { method: "HEAD", timeoutSeconds }).then(
    () => true,
    // What answers without TLS gives one of OpenSSL's faults; what is not trusted, or is down, is found out later.
    (error: unknown) => !/^(EPROTO|ERR_SSL_)/.test(systemCode(error) ?? ""),
  );
  return speaksTls ? secure : `http://${host}`;
}

/** Whether what goes to this host, as URLs spell it, stays on this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
