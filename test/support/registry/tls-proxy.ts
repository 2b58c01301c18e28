import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selfSigned } from "../server/self-signed.ts";

export interface TlsProxy {
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  /** The certificate, which vouches for itself. */
  readonly certificatePath: string;
  readonly stop: () => Promise<void>;
}

/** TLS in front of a server on this machine, with a certificate for 127.0.0.1 that is valid for 30 days. */
export async function startTlsProxy(target: string): Promise<TlsProxy> {
  const directory = await mkdtemp(join(tmpdir(), "regwarden-tls-"));
  const { certificate, privateKey } = await selfSigned(directory);
  const certificatePath = join(directory, "certificate.pem");
  const server = createServer({ key: privateKey, cert: certificate }, (incoming, response) => {
    const options = { method: incoming.method ?? "GET", headers: incoming.headers };
    const passed = request(new URL(incoming.url ?? "/", target), options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.on("error", () => response.destroy());
    passed.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await rm(directory, { recursive: true });
  };
  return { url: `https://127.0.0.1:${address.port}`, certificatePath, stop };
}
