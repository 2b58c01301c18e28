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

/** A server that was there a moment ago. */
export async function serveNobody(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}`;
}
