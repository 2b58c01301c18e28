import { systemCode } from "../cli/errors.ts";
import { sendOnce } from "./exchange.ts";
import { isLoopback } from "./loopback.ts";

/**
 * Scheme, host and port that a registry is asked at. TLS, unless `plainHttp` was asked for, or a registry on this machine
 * answers without, as development registries do.
 */
export async function originOf(host: string, plainHttp: boolean): Promise<string> {
  if (plainHttp) return `http://${host}`;
  const secure = `https://${host}`;
  if (!isLoopback(new URL(secure).hostname)) return secure;
  const speaksTls = await sendOnce(`${secure}/v2/`, { method: "HEAD" }).then(
    () => true,
    // What answers without TLS gives one of OpenSSL's faults; what is not trusted, or is down, is found out later.
    (error: unknown) => !/^(EPROTO|ERR_SSL_)/.test(systemCode(error) ?? ""),
  );
  return speaksTls ? secure : `http://${host}`;
}
