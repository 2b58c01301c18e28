import { execa } from "execa";
import type { ProbeReport } from "../contract/probe-report.ts";
import { nodeBinary, projectRoot } from "../lab/machine/paths.ts";
import { table } from "../lab/machine/screen.ts";
import { benchCatalogue } from "./catalogue.ts";
import { compareOnRegistry, type Rate } from "./compare.ts";
import { median } from "./measure.ts";
import { rateOfCurl } from "./one-by-one.ts";
import { type ServedStore, withStore } from "./served-store.ts";

const sizes = [10, 1000];
const latencyMilliseconds = 5;
const curlTags = 25;
const runs = 3;

/**
 * The probe, as its user runs it: on a registry of the same machine beside its peers; at two sizes of the store behind a
 * proxy that adds 5 ms to each request, beside the same requests by one `curl` each; and with `--catalogue` the requests
 * that a catalogue of 10,000 repositories takes. All in one run on one machine.
 */
export async function benchProbe(flags: readonly string[]): Promise<string> {
  if (flags.includes("--catalogue")) return benchCatalogue();
  const compared = await compareOnRegistry({ name: "probe", tags: 500, measure: rateOfProbe });
  const rows: string[][] = [];
  for (const tags of sizes)
    await withStore({ tags, cachesBlobs: false, latencyMilliseconds }, async (store) => {
      const curl = await rateOfCurl(store, Math.min(curlTags, tags));
      const rate = await median(runs, async () => (await rateOfProbe(store, 32)).requestsPerSecond);
      rows.push([`${tags} tags`, curl.toFixed(0), rate.toFixed(0), `${(rate / curl).toFixed(1)} x`]);
    });
  const head = [`${latencyMilliseconds} ms latency`, "curl, requests/s", "probe, 32 in flight", "of curl's"];
  return `${compared}\n${table([head, ...rows])}\n`;
}

async function rateOfProbe({ host, tags }: ServedStore, inFlight: number): Promise<Rate> {
  const flags = ["--url", `http://${host}`, "--concurrency", String(inFlight), "--json"];
  const start = performance.now();
  const { stdout } = await execa(nodeBinary, ["dist/regwarden.mjs", "probe", ...flags], { cwd: projectRoot });
  const seconds = (performance.now() - start) / 1000;
  const report = JSON.parse(stdout) as ProbeReport;
  if (report.findings.length > 0 || report.tags !== tags.length)
    throw new Error(`the probe checked ${report.tags} of ${tags.length} tags`);
  return { requestsPerSecond: report.requests / seconds, imagesPerSecond: tags.length / seconds };
}
