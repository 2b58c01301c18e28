import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { onTestFinished } from "vitest";
import { freePort } from "./free-port.ts";

/** Answers a request, or destroys its connection. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A local server that lives as long as the test; returns its address. */
export async function serve(handler: Handler): Promise<string> {
  const server = createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return `http://127.0.0.1:${address.port}`;
}

/** One request as it came. */
export interface Received {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** A server that gives the same answer to every request, and keeps the requests. */
export async function serveAndRecord(
  status = 200,
  answer = "",
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly url: string; readonly received: readonly Received[] }> {
  const received: Received[] = [];
  const url = await serve((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      received.push({ method: request.method, path: request.url, headers: request.headers, body });
      response.writeHead(status, headers).end(answer);
    });
  });
  return { url, received };
}

/** Address of a server that has just been stopped: connections to it are refused. */
export async function stoppedServer(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}`;
}
