import { execa } from "execa";
import type { ProbeReport } from "../contract/probe-report.ts";
import { nodeBinary, projectRoot } from "../lab/machine/paths.ts";
import { table } from "../lab/machine/screen.ts";
import { image } from "../test/support/images/oci-content.ts";
import { startRegistry } from "../test/support/registry/registry.ts";
import { storeAt } from "../test/support/store/store.ts";

const repositories = 10_000;
/** What the registry gives a page at most, and what the probe asks for. */
const repositoriesOfAPage = 1000;

/** Requests of a probe of 10,000 repositories with one image each, beside those that are needed. */
export async function benchCatalogue(): Promise<string> {
  const registry = await startRegistry();
  try {
    const store = storeAt(registry.directory);
    const content = image("catalogue", "linux/amd64");
    for (let at = 0; at < repositories; at++) await store.push(`team${at % 100}/app${at}`, content, "1");
    const flags = ["--url", registry.url, "--concurrency", "32", "--json"];
    const start = performance.now();
    const { stdout } = await execa(nodeBinary, ["dist/regwarden.mjs", "probe", ...flags], {
      cwd: projectRoot,
    });
    const seconds = (performance.now() - start) / 1000;
    const report = JSON.parse(stdout) as ProbeReport;
    if (report.tags !== repositories) throw new Error(`the probe checked ${report.tags} tags`);
    const needed = [
      ["pages of the catalogue", Math.ceil(repositories / repositoriesOfAPage)],
      ["lists of tags", repositories],
      ["manifests, by their tags", repositories],
      ["configurations and layers", 2 * repositories],
    ] as const;
    const sum = needed.reduce((all, [, count]) => all + count, 0);
    return `${table([
      ...needed.map(([what, count]) => [what, String(count)]),
      ["needed", String(sum)],
      ["requests of the probe", String(report.requests)],
      ["seconds", seconds.toFixed(1)],
    ])}\n`;
  } finally {
    await registry.dispose();
  }
}
