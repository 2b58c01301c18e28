import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { execa } from "execa";
import { table } from "../lab/screen.ts";
import { probeRegistry } from "../scripts/probe/probe-registry.ts";
import { acceptAnyManifest } from "../scripts/registry/media-types.ts";
import { httpRegistry } from "../scripts/source/http/registry.ts";
import { image, index } from "../test/registry/oci-layout.ts";
import { type Registry, startRegistry } from "../test/registry/registry.ts";

const repositories = 4;
const tagsOfEach = 15;
const latencyMilliseconds = 5;
const runs = 3;
/** Requests of curl that are timed: all would only take longer. */
const curlRequests = 150;

/**
 * The probe at 1, 8 and 32 requests in flight against the same requests by one `curl` each, one after the other, to a
 * real registry behind a proxy that adds 5 ms to each request; in one run on one machine.
 */
export async function benchProbe(): Promise<string> {
  const registry = await startRegistry();
  const proxy = await startProxy(registry.url);
  try {
    await fill(registry);
    const curl = await rateOfCurl(proxy);
    const rows = [["requests one after the other by `curl`", ...cells(curl, curl)]];
    for (const concurrency of [1, 8, 32]) {
      const rate = await median(() => rateOfProbe(proxy.url, concurrency));
      rows.push([`probe, ${concurrency} in flight, median of ${runs}`, ...cells(rate, curl)]);
    }
    return `${table([["", "requests/s", "of curl's"], ...rows])}\n`;
  } finally {
    proxy.close();
    await registry.dispose();
  }
}

async function fill(registry: Registry): Promise<void> {
  for (let repository = 0; repository < repositories; repository++)
    for (let tag = 0; tag < tagsOfEach; tag++) {
      const text = `${repository}/${tag}`;
      const platforms = ["linux/amd64", "linux/arm64"].map((platform) => image(text + platform, platform));
      await registry.push(index(platforms), `bench${repository}`, `${tag}`);
    }
}

function cells(rate: number, base: number): [string, string] {
  return [rate.toFixed(0), `${(rate / base).toFixed(1)} x`];
}

/** Requests a second. */
async function rateOfProbe(origin: string, concurrency: number): Promise<number> {
  const source = httpRegistry({ name: "bench", origin, account: undefined, concurrency });
  const start = performance.now();
  const options = { concurrency, sentinel: undefined, shard: undefined, onProgress: () => {} };
  const { findings, tags } = await probeRegistry(source, options);
  if (findings.length > 0 || tags !== repositories * tagsOfEach) throw new Error("the probe did not see all");
  return (source.tally().requests / (performance.now() - start)) * 1000;
}

async function rateOfCurl(proxy: Proxy): Promise<number> {
  await rateOfProbe(proxy.url, 8);
  const asked = proxy.asked.slice(-curlRequests);
  const start = performance.now();
  for (const { method, url } of asked) {
    const flags = method === "HEAD" ? ["--head"] : [];
    const accept = ["--header", `Accept: ${acceptAnyManifest}`];
    await execa("curl", ["--silent", "--output", "/dev/null", ...flags, ...accept, `${proxy.url}${url}`]);
  }
  return (asked.length / (performance.now() - start)) * 1000;
}

interface Proxy {
  readonly url: string;
  readonly asked: readonly { readonly method: string; readonly url: string }[];
  readonly close: () => void;
}

/** Passes everything on, each request a little late. */
async function startProxy(target: string): Promise<Proxy> {
  const asked: { method: string; url: string }[] = [];
  const server = createServer((incoming, response) => {
    const { method = "GET", url = "/" } = incoming;
    asked.push({ method, url });
    setTimeout(() => pass(target, incoming, response), latencyMilliseconds);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${address.port}`, asked, close };
}

function pass(target: string, { method, url, headers }: IncomingMessage, response: ServerResponse): void {
  const options = { method: method ?? "GET", headers };
  const passed = request(new URL(url ?? "/", target), options, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  passed.on("error", () => response.destroy());
  passed.end();
}

async function median(measure: () => Promise<number>): Promise<number> {
  const rates: number[] = [];
  for (let run = 0; run < runs; run++) rates.push(await measure());
  return rates.sort((a, b) => a - b)[Math.floor(runs / 2)] ?? Number.NaN;
}
