import { Agent, request } from "node:https";
import { availableParallelism, loadavg } from "node:os";
import { table } from "../lab/machine/screen.ts";
import { writeFreeze } from "../scripts/write-freeze/write-freeze.ts";
import { image } from "../test/support/images/oci-content.ts";
import { startRegistry } from "../test/support/registry/registry.ts";
import { startStackNginx } from "../test/support/registry/stack-nginx.ts";

const account = { user: "ci", password: "correct horse" };
const content = image("an image", "linux/amd64");
/** Clients that ask at the same time, each one request after the other. */
const clients = 8;
/** For how long: within the time that writes are held at most. */
const measuredMs = 4000;
/** Writes that wait meanwhile. */
const waitingWrites = 50;

/**
 * What a freeze costs those that read: GETs of a manifest through the stack's nginx, with its handler for writes, while
 * nothing is held, while writes are held, and while many of them wait.
 */
export async function benchFreeze(): Promise<string> {
  const registry = await startRegistry(account);
  await registry.push(content, "app", "1");
  const nginx = await startStackNginx({ addresses: { "registry-private": new URL(registry.url).host } });
  const freeze = () => writeFreeze({ flagFile: nginx.freeze.flag, statusUrl: nginx.freeze.statusUrl });
  const read = () => measureReads(`${nginx.url}/v2/app/manifests/1`);
  const rows: string[][] = [];
  try {
    await read();
    rows.push(row("nothing held", await read()));
    for (const [name, writes] of [
      ["writes held, none waits", 0],
      [`writes held, ${waitingWrites} wait`, waitingWrites],
    ] as const) {
      const one = freeze();
      await one.begin();
      const waiting = Array.from({ length: writes }, () => ask(`${nginx.url}/v2/app/blobs/uploads/`, "POST"));
      rows.push(row(name, await read()));
      await one.verify();
      await one.end();
      const statuses = new Set(await Promise.all(waiting));
      if (statuses.size > 1 || (writes > 0 && !statuses.has(202)))
        throw new Error(`writes that waited got ${[...statuses].join(", ")}`);
    }
  } finally {
    await nginx.stop();
    await registry.dispose();
  }
  const head = ["freeze", "GETs/s", "p50", "p99", "longest"];
  const machine = `${availableParallelism()} processors, load ${loadavg()[0]?.toFixed(1)}`;
  return `${table([head, ...rows])}\n  ${clients} clients, ${measuredMs / 1000} s each; ${machine}.\n`;
}

/** Milliseconds that each request took, sorted. */
async function measureReads(url: string): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const until = performance.now() + measuredMs;
  const took: number[] = [];
  const client = async () => {
    while (performance.now() < until) {
      const since = performance.now();
      const status = await ask(url, "GET", agent);
      if (status !== 200) throw new Error(`GET got ${status}`);
      took.push(performance.now() - since);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
  return took.sort((a, b) => a - b);
}

function ask(url: string, method: string, agent: Agent | false = false): Promise<number> {
  const headers = { accept: content.descriptor.mediaType };
  const auth = `${account.user}:${account.password}`;
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, auth, headers, agent, rejectUnauthorized: false }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode ?? 0));
    });
    sent.on("error", reject).end();
  });
}

function row(name: string, took: readonly number[]): string[] {
  const at = (share: number) => `${(took[Math.floor((took.length - 1) * share)] ?? 0).toFixed(1)} ms`;
  return [name, (took.length / (measuredMs / 1000)).toFixed(0), at(0.5), at(0.99), at(1)];
}
