import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { forward, type PodService } from "../../../../../lab/cluster/pods/service.ts";

const host = "127.0.0.1";
let server: Server;
let service: PodService;
let accepted: Socket[];

beforeEach(async () => {
  accepted = [];
  server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket);
    socket.on("error", () => undefined);
    socket.pipe(socket);
  });
  await once(server.listen(0, host), "listening");
  service = await forward(host, { host, port: (server.address() as AddressInfo).port });
});
afterEach(async () => {
  await service.close();
  server.close();
});

function reach(allowHalfOpen = false): Socket {
  const { variables } = service;
  const port = Number(variables.get("KUBERNETES_SERVICE_PORT"));
  return connect({ host: variables.get("KUBERNETES_SERVICE_HOST") ?? "", port, allowHalfOpen });
}

/** A connection that has been used, so both of its halves are open. */
async function answered(): Promise<Socket> {
  const socket = reach().on("error", () => undefined);
  socket.write("a");
  await once(socket, "data");
  return socket;
}

test("what a pod sends arrives whole, and so does the answer", async () => {
  const sent = "x".repeat(5_000_000);
  const socket = reach(true);
  socket.end(sent);
  expect((await text(socket)) === sent).toBe(true);
});

test("a server that breaks off breaks off for the pod, and the next connection works", async () => {
  const broken = await answered();
  const closed = once(broken, "close");
  accepted[0]?.resetAndDestroy();
  await closed;
  const next = reach(true);
  next.end("b");
  expect(await text(next)).toBe("b");
});

test("an end takes open connections along and frees the port", async () => {
  const open = await answered();
  const closed = once(open, "close");
  await service.close();
  await closed;
  await expect(once(reach(), "connect")).rejects.toThrow(/ECONNREFUSED/);
});
