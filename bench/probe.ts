import { execa } from "execa";
import type { ProbeReport } from "../contract/probe-report.ts";
import { nodeBinary, projectRoot } from "../lab/machine/paths.ts";
import { table } from "../lab/machine/screen.ts";
import { median, rateOfCurl } from "./one-by-one.ts";
import { latencyMilliseconds, type ServedStore, serveStore } from "./served-store.ts";

/** Tags of the stores, a factor 10 apart. */
const sizes = [10, 100, 1000];
const curlTags = 25;
const runs = 3;

/**
 * The probe, as its user runs it, at 1, 8 and 32 requests in flight against the same requests by one `curl` each, one
 * after the other, to a real registry behind a proxy that adds 5 ms to each request; then at three sizes of the store.
 * All in one run on one machine; the probe's time is that of its whole process.
 */
export async function benchProbe(): Promise<string> {
  const [small = 0, middle = 0, large = 0] = sizes;
  const rows: string[][] = [];
  const curl = await withStore(middle, async (store) => {
    const base = await rateOfCurl(store, curlTags);
    rows.push(["one after the other by `curl`", "", ...cells(base, base)]);
    for (const concurrency of [1, 8, 32]) {
      const rate = await median(runs, () => rateOfProbe(store, concurrency));
      rows.push([`probe, ${concurrency} in flight`, `${middle} tags`, ...cells(rate, base)]);
    }
    return base;
  });
  for (const size of [small, large]) {
    const rate = await withStore(size, (store) => median(runs, () => rateOfProbe(store, 32)));
    rows.push(["probe, 32 in flight", `${size} tags`, ...cells(rate, curl)]);
  }
  const head = [`${latencyMilliseconds} ms latency, median of ${runs}`, "", "requests/s", "of curl's"];
  return `${table([head, ...rows])}\n`;
}

async function withStore<T>(tags: number, work: (store: ServedStore) => Promise<T>): Promise<T> {
  const store = await serveStore(tags);
  try {
    return await work(store);
  } finally {
    await store.dispose();
  }
}

function cells(rate: number, base: number): [string, string] {
  return [rate.toFixed(0), `${(rate / base).toFixed(1)} x`];
}

/** Requests a second, from the start of the process to its end. */
async function rateOfProbe({ host, tags }: ServedStore, concurrency: number): Promise<number> {
  const flags = ["--url", `http://${host}`, "--concurrency", String(concurrency), "--json"];
  const start = performance.now();
  const { stdout } = await execa(nodeBinary, ["dist/regwarden.mjs", "probe", ...flags], { cwd: projectRoot });
  const seconds = (performance.now() - start) / 1000;
  const report = JSON.parse(stdout) as ProbeReport;
  if (report.findings.length > 0 || report.tags !== tags.length) throw new Error("the probe did not see all");
  return report.requests / seconds;
}
