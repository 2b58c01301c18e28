import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

interface Running {
  readonly url: URL;
  readonly stop: () => Promise<void>;
}

interface Received {
  readonly method: string | undefined;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A server that answers the same to everybody, and keeps what it was sent. */
export async function startServer(
  status: number,
  answer = "",
  headers: Readonly<Record<string, string>> = {},
): Promise<Running & { received: Received[] }> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({
      method: request.method,
      body: Buffer.concat(chunks).toString(),
      headers: request.headers,
    });
    response.writeHead(status, headers).end(answer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const stop = async () => {
    const ended = once(server, "close");
    server.close();
    server.closeAllConnections();
    await ended;
  };
  return { url, stop, received };
}
