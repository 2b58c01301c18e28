import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dump, load } from "js-yaml";
import { beforeAll, describe, expect, test } from "vitest";
import { dashboardQueries } from "../../components/cluster/render/dashboard.ts";
import { type ScrapeScope, scrapeFile, scrapeJobs } from "../../components/cluster/render/scrape.ts";
import { ensurePackages } from "../../lab/machine/packages.ts";
import { waitUntil } from "../../lab/machine/wait.ts";
import { promtool } from "../support/rules/prometheus-tools.ts";
import { RULES } from "../support/rules/rendered-rules.ts";
import { startService } from "../support/server/service.ts";

/** Ports of this machine that nothing listens on: Prometheus scrapes them in earnest. */
const scope: ScrapeScope = {
  metricsAddress: "127.0.0.1:9",
  registries: ["private", "dockerhub"],
  backsUp: true,
  breaksGlass: true,
  pushgatewayUrl: "http://127.0.0.1:19",
};

beforeAll(async () => {
  await ensurePackages({}, ["prometheus"]);
}, 600_000);

async function directoryWithFile(): Promise<{ readonly directory: string; readonly config: string }> {
  const directory = await mkdtemp(join(tmpdir(), "regwarden-scrape-"));
  const config = join(directory, "prometheus.yml");
  await writeFile(config, dump({ scrape_configs: (load(scrapeFile(scope)) as Loaded).scrape_configs }));
  return { directory, config };
}

interface Targets {
  readonly data: { readonly activeTargets: { scrapeUrl: string; labels: Record<string, string> }[] };
}

interface Loaded {
  readonly scrape_configs: readonly unknown[];
}

describe("what Prometheus is to scrape", () => {
  test("is a configuration that promtool takes", async () => {
    const { config } = await directoryWithFile();
    expect(await promtool("check", "config", config)).toMatchObject({ exitCode: 0 });
  });

  test("is a target for every registry and metrics path, in a real Prometheus", async () => {
    const onHost = (path: string, job: string, registry?: string) => [
      `http://127.0.0.1:9/metrics/${path}`,
      job,
      registry,
    ];
    const expected = [
      ["http://127.0.0.1:19/metrics", "pushgateway", undefined],
      onHost("backup", "backup"),
      onHost("break-glass", "break-glass"),
      onHost("disk", "disk"),
      onHost("dockerhub", "registry", "dockerhub"),
      onHost("private", "registry", "private"),
      onHost("scan", "scan"),
      ...["collect", "freeze", "purge", "restore", "retain"].map((path) => onHost(path, "maintenance")),
    ];
    const { directory, config } = await directoryWithFile();
    const prometheus = await startService(directory, "prometheus", (address) => [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, "data")}`,
      `--web.listen-address=${address}`,
    ]);
    try {
      let targets: (string | undefined)[][] = [];
      await waitUntil("Prometheus' targets", 60, async () => {
        const answer = (await (await fetch(`${prometheus.url}/api/v1/targets`)).json()) as Targets;
        targets = answer.data.activeTargets.map(({ scrapeUrl, labels }) => [
          scrapeUrl,
          labels.job,
          labels.registry,
        ]);
        return targets.length === expected.length;
      });
      expect(targets.sort()).toEqual(expected.sort());
    } finally {
      await prometheus.stop();
    }
  });

  test("has every job and registry that a rule or the dashboard selects", () => {
    const jobs = scrapeJobs(scope);
    const queries = [
      ...RULES.groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)),
      ...dashboardQueries(),
    ];
    const selected = (label: string) =>
      queries.flatMap((query) =>
        [...query.matchAll(new RegExp(`[{,]${label}=~?"([^"]*)"`, "g"))].map(([, value = ""]) => value),
      );
    expect(selected("job").length).toBeGreaterThan(0);
    for (const pattern of selected("job"))
      expect(jobs.some(({ job }) => new RegExp(`^(${pattern})$`).test(job))).toBe(true);
    const registries = jobs.flatMap(({ targets }) => targets.map(({ labels }) => labels.registry));
    for (const registry of selected("registry")) expect(registries).toContain(registry);
  });

  test("keeps the path and the scheme of a Pushgateway behind a proxy", () => {
    const behind = { ...scope, pushgatewayUrl: "https://metrics.example.com/push" };
    expect(scrapeJobs(behind).at(-1)).toMatchObject({
      scheme: "https",
      targets: [{ address: "metrics.example.com:443", labels: { __metrics_path__: "/push/metrics" } }],
    });
  });
});
