import { execa } from "execa";
import type { VerifyReport } from "../contract/verify-report.ts";
import { nodeBinary, projectRoot } from "../lab/machine/paths.ts";
import { compareOnRegistry, type Rate } from "./compare.ts";
import type { ServedStore } from "./served-store.ts";

/** One run over 100 references, as its user starts it, on a registry of the same machine, beside its peers. */
export function benchVerify(): Promise<string> {
  return compareOnRegistry({ name: "verify", tags: 100, measure: rateOfVerify });
}

async function rateOfVerify({ host, tags }: ServedStore, inFlight: number): Promise<Rate> {
  const references = tags.map(({ repository, name }) => `${host}/${repository}:${name}`);
  const flags = ["--plain-http", "--concurrency", String(inFlight), "--json", ...references];
  const start = performance.now();
  const { stdout } = await execa(nodeBinary, ["dist/regwarden.mjs", "verify", ...flags], {
    cwd: projectRoot,
  });
  const seconds = (performance.now() - start) / 1000;
  const { images, requests } = JSON.parse(stdout) as VerifyReport;
  const complete = images.filter(
    ({ platforms, findings }) => platforms.length === 2 && findings.length === 0,
  );
  if (complete.length !== tags.length)
    throw new Error(`the verification found ${complete.length} of ${tags.length} images complete`);
  return { requestsPerSecond: requests / seconds, imagesPerSecond: tags.length / seconds };
}
