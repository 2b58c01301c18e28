import { connect, createServer, type Socket } from "node:net";

/**
 * A program of its own, so that it shares no event loop with what is measured: listens on 127.0.0.1, prints its port,
 * and passes every piece that a client sends on to PORT, each MILLISECONDS later. Answers are not held up.
 */
const [port = 0, latencyMilliseconds = 0] = process.argv.slice(2).map(Number);

function pass(client: Socket): void {
  const server = connect({ host: "127.0.0.1", port, noDelay: true });
  client.setNoDelay(true);
  client.on("data", (piece) => setTimeout(() => server.write(piece), latencyMilliseconds));
  client.on("end", () => setTimeout(() => server.end(), latencyMilliseconds));
  server.pipe(client);
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const)
    one.on("error", () => other.destroy());
}

const proxy = createServer({ allowHalfOpen: true }, pass).listen(0, "127.0.0.1", () => {
  const address = proxy.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  process.stdout.write(`${address.port}\n`);
});
