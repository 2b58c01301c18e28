import { execa } from "execa";
import type { VerifyReport } from "../contract/verify-report.ts";
import { nodeBinary, projectRoot } from "../lab/machine/paths.ts";
import { table } from "../lab/machine/screen.ts";
import { median, rateOfCurl } from "./one-by-one.ts";
import { latencyMilliseconds, type ServedStore, serveStore } from "./served-store.ts";

const tags = 50;
const curlTags = 10;
const runs = 3;

/** One run over 50 references, as its user starts it, against the same requests by one `curl` each, one after the other. */
export async function benchVerify(): Promise<string> {
  const store = await serveStore(tags);
  try {
    const curl = await rateOfCurl(store, curlTags);
    const rows = [["one after the other by `curl`", curl.toFixed(0), "1.0 x"]];
    for (const concurrency of [1, 8, 32]) {
      const rate = await median(runs, () => rateOfVerify(store, concurrency));
      rows.push([`verify, ${concurrency} in flight`, rate.toFixed(0), `${(rate / curl).toFixed(1)} x`]);
    }
    const head = [
      `${tags} references, ${latencyMilliseconds} ms latency, median of ${runs}`,
      "requests/s",
      "of curl's",
    ];
    return `${table([head, ...rows])}\n`;
  } finally {
    await store.dispose();
  }
}

/** Requests a second, from the start of the process to its end. */
async function rateOfVerify({ host, tags }: ServedStore, concurrency: number): Promise<number> {
  const references = tags.map(({ repository, name }) => `${host}/${repository}:${name}`);
  const flags = ["--plain-http", "--concurrency", String(concurrency), "--json", ...references];
  const start = performance.now();
  const { stdout } = await execa(nodeBinary, ["dist/regwarden.mjs", "verify", ...flags], {
    cwd: projectRoot,
  });
  const seconds = (performance.now() - start) / 1000;
  const { images, requests } = JSON.parse(stdout) as VerifyReport;
  if (images.some(({ platforms }) => platforms.length !== 2))
    throw new Error("the verification did not see all");
  return requests / seconds;
}
