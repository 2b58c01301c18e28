import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensurePackages } from "../../lab/packages.ts";
import { findCommand } from "../../lab/paths.ts";
import { waitUntil } from "../../lab/run.ts";
import { freePort } from "../free-port.ts";

export interface Running {
  readonly url: URL;
  readonly stop: () => Promise<void>;
}

/** A real Pushgateway with nothing in it. */
export async function startPushgateway(): Promise<Running> {
  await ensurePackages({}, ["prometheus-pushgateway"]);
  const url = new URL(`http://127.0.0.1:${await freePort()}`);
  const binary = findCommand("prometheus-pushgateway") ?? "prometheus-pushgateway";
  // Debian's keeps what it is given in a file of the machine, unless it is told another.
  const scratch = await mkdtemp(join(tmpdir(), "regwarden-push-"));
  const flags = [`--web.listen-address=${url.host}`, `--persistence.file=${join(scratch, "metrics")}`];
  const child = spawn(binary, flags, { stdio: "ignore" });
  await waitUntil("the Pushgateway answers", 20, () =>
    fetch(new URL("/-/ready", url)).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  const stop = async () => {
    const ended = once(child, "exit");
    if (child.kill()) await ended;
    await rm(scratch, { recursive: true, force: true });
  };
  return { url, stop };
}

export interface Received {
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
