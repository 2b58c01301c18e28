import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { dashboard, dashboardQueries } from "../../../../../components/cluster/render/dashboard.ts";
import { allAlerts, ruleGroups } from "../../../../../components/cluster/render/rules.ts";
import { externalMetrics } from "../../../../../components/cluster/render/sources.ts";
import {
  backupMetrics,
  breakGlassMetrics,
  collectMetrics,
  diskMetrics,
  driftMetrics,
  driveSyncMetrics,
  freezeMetrics,
  inUseMetrics,
  probeMetrics,
  purgeMetrics,
  restoreMetrics,
  retainMetrics,
  scanMetrics,
  unmanagedMetrics,
} from "../../../../../contract/metrics.ts";
import { metricsOf } from "../../../../support/rules/metrics-of.ts";
import { RULES, SCOPE } from "../../../../support/rules/rendered-rules.ts";

const alerts = allAlerts(SCOPE);
const known = Object.keys({
  ...probeMetrics,
  ...inUseMetrics,
  ...scanMetrics,
  ...backupMetrics,
  ...breakGlassMetrics,
  ...diskMetrics,
  ...collectMetrics,
  ...retainMetrics,
  ...purgeMetrics,
  ...restoreMetrics,
  ...freezeMetrics,
  ...driftMetrics,
  ...unmanagedMetrics,
  ...driveSyncMetrics,
  ...externalMetrics,
});

describe("the alerts", () => {
  test("hold those of the former stack, under their names", () => {
    expect(alerts.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        "DockerRegistryDown",
        "RegistryLowCacheHitRate",
        "RegistryManifestIntegrityFailure",
        "RegistryIntegrityProbeStale",
        "RegistryCatalogInaccessible",
      ]),
    );
  });

  test("have names of their own", () => {
    expect(new Set(alerts.map(({ name }) => name)).size).toBe(alerts.length);
  });

  test.each(alerts.map((alert) => [alert.name, alert] as const))("say where: %s", (_, { summary }) => {
    const isNamed = /\{\{ \$labels\.(instance|stack|site) \}\}/.test(summary);
    expect(isNamed || summary.includes(SCOPE.instance)).toBe(true);
  });

  test.each(alerts.map((alert) => [alert.name, alert] as const))(
    "use metrics of the contract: %s",
    (_, { expr }) => {
      expect(metricsOf(expr).length).toBeGreaterThan(0);
      expect(known).toEqual(expect.arrayContaining(metricsOf(expr)));
    },
  );

  test("have an entry each in the runbook, and the runbook has no other", () => {
    const runbook = readFileSync(new URL("../../../../../docs/runbook.md", import.meta.url), "utf8");
    const text = runbook.slice(runbook.indexOf("# Alerts:"));
    const entries = [...text.matchAll(/^## (\w+)\n([\s\S]*?)(?=^#|(?![\s\S]))/gm)];
    expect(entries.map(([, name]) => name).sort()).toEqual(alerts.map(({ name }) => name).sort());
    for (const [, name, entry = ""] of entries) {
      for (const part of ["Means:", "Check:", "Do:"]) expect(entry, name).toContain(part);
    }
  });

  test("link to that entry", () => {
    for (const { alert, annotations } of RULES.groups.flatMap(({ rules }) => rules)) {
      expect(annotations.runbook_url).toBe(`https://git.example.com/runbook.md#${alert.toLowerCase()}`);
    }
  });

  test("do not watch the Drive synchronisation where there is none", () => {
    const { groups } = ruleGroups({ ...SCOPE, sites: [] }, { runbookBaseUrl: "https://a.example" });
    expect(groups.map(({ name }) => name)).not.toContain("registry-drive-sync");
    expect(groups).toHaveLength(RULES.groups.length - 1);
  });
});

describe("the dashboard", () => {
  test("uses metrics of the contract only", () => {
    for (const query of dashboardQueries()) expect(known).toEqual(expect.arrayContaining(metricsOf(query)));
  });

  test("places its panels side by side, none over another", () => {
    const { panels } = dashboard();
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...panels.map(({ gridPos }) => gridPos.x + gridPos.w))).toBe(24);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });
});
