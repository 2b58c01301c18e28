import { describe, expect, test } from "vitest";
import { parseSettings } from "../../../config/settings.ts";
import { KUBECONFIG } from "../../support/program-stack/cluster.ts";
import { faultsOf } from "../../support/program-stack/faults.ts";
import { RAW_CONFIG } from "../../support/program-stack/raw-config.ts";

const RUNBOOK = { runbookBaseUrl: "https://git.example.com/runbook.md" };
const SITE = {
  name: "blog",
  namespace: "blog",
  source: "gdrive:blog",
  requiredFile: "index.html",
  claim: "blog-content",
  externalSecret: { store: "vault-kv", key: "blog", property: "rclone_conf" },
};
const { externalSecret: _, ...OWN_SITE } = SITE;
const cluster = (part: object) => ({
  cluster: JSON.stringify({ enabled: true, kubeconfigContext: "home", alerts: RUNBOOK, ...part }),
});
const sites = (...list: object[]) => cluster({ driveSync: { sites: list } });

describe("the cluster's configuration", () => {
  test("is off by default, and then asks for nothing", () => {
    expect(parseSettings(RAW_CONFIG)).toMatchObject({
      settings: { cluster: { enabled: false, namespace: "monitoring", driveSync: { sites: [] } } },
    });
  });

  test("gets every default", () => {
    expect(parseSettings({ ...RAW_CONFIG, ...cluster({}) })).toMatchObject({
      settings: {
        cluster: {
          createNamespace: false,
          pushgatewayUrl: "http://prometheus-prometheus-pushgateway.monitoring:9091",
          probe: { schedule: "*/15 * * * *", shards: 1, memoryLimit: "256Mi" },
          alerts: { as: "prometheusRule", labels: [] },
          dashboard: { enabled: true },
          driveSync: { image: "rclone/rclone:1.74.3" },
        },
      },
    });
  });

  test.each<[string, Record<string, string>, string]>([
    ["no context", cluster({ kubeconfigContext: undefined }), "cluster.kubeconfigContext"],
    ["a kubeconfig that is none", { ...cluster({}), kubeconfig: "kind: Config" }, "kubeconfig"],
    ["a kubeconfig that is no YAML", { ...cluster({}), kubeconfig: "a: [s3cret" }, "kubeconfig"],
    [
      "a kubeconfig without that context",
      { ...cluster({ kubeconfigContext: "office" }), kubeconfig: KUBECONFIG },
      "kubeconfig",
    ],
    ["another form of scraping", cluster({ scrape: { as: "serviceMonitor" } }), "cluster.scrape.as"],
    ["a label of scraping without value", cluster({ scrape: { labels: ["x"] } }), "cluster.scrape.labels[0]"],
    ["no runbook", cluster({ alerts: {} }), "cluster.alerts.runbookBaseUrl"],
    [
      "a runbook that is no URL",
      cluster({ alerts: { runbookBaseUrl: "docs" } }),
      "cluster.alerts.runbookBaseUrl",
    ],
    ["another form of rules", cluster({ alerts: { ...RUNBOOK, as: "helm" } }), "cluster.alerts.as"],
    [
      "a label without value",
      cluster({ alerts: { ...RUNBOOK, labels: ["release"] } }),
      "cluster.alerts.labels[0]",
    ],
    [
      "a schedule of six fields",
      cluster({ probe: { schedule: "0 */15 * * * *" } }),
      "cluster.probe.schedule",
    ],
    ["half a shard", cluster({ probe: { shards: 0.5 } }), "cluster.probe.shards"],
    ["no shard", cluster({ probe: { shards: 0 } }), "cluster.probe.shards"],
    ["an instance with a scheme", cluster({ probe: { instance: "https://a:1" } }), "cluster.probe.instance"],
    ["memory without unit", cluster({ probe: { memoryLimit: "256" } }), "cluster.probe.memoryLimit"],
    [
      "less memory than is asked for",
      cluster({ probe: { memoryLimit: "63Mi" } }),
      "cluster.probe.memoryLimit",
    ],
    ["a namespace with a dot", cluster({ namespace: "a.b" }), "cluster.namespace"],
    [
      "a gateway with a slash at its end",
      cluster({ pushgatewayUrl: "http://a:9091/" }),
      "cluster.pushgatewayUrl",
    ],
    ["a gateway with an account", cluster({ pushgatewayUrl: "http://u:p@a:9091" }), "cluster.pushgatewayUrl"],
    ["an unknown key", cluster({ probes: {} }), "cluster.probes"],
    [
      "an image that moves",
      cluster({ driveSync: { image: "rclone/rclone:latest" } }),
      "cluster.driveSync.image",
    ],
    [
      "a site's name that is too long",
      sites({ ...SITE, name: "a".repeat(41) }),
      "cluster.driveSync.sites[0].name",
    ],
    ["a site's name twice", sites(SITE, SITE), "cluster.driveSync.sites[1].name"],
    ["a source without remote", sites({ ...SITE, source: "/blog" }), "cluster.driveSync.sites[0].source"],
    [
      "a required file with a path",
      sites({ ...SITE, requiredFile: "a/b" }),
      "cluster.driveSync.sites[0].requiredFile",
    ],
    ["a site run by root", sites({ ...SITE, runAsUser: 0 }), "cluster.driveSync.sites[0].runAsUser"],
    ["no configuration of rclone", sites(OWN_SITE), "driveSyncConfigs.blog"],
    [
      "a gateway with TLS, which the rclone image cannot push to",
      cluster({ pushgatewayUrl: "https://a:9091", driveSync: { sites: [SITE] } }),
      "cluster.pushgatewayUrl",
    ],
  ])("refuses %s", (_title, change, key) => {
    expect(faultsOf(change).keys).toEqual([key]);
  });

  test("takes a gateway with TLS where there is no site to synchronise", () => {
    expect(faultsOf(cluster({ pushgatewayUrl: "https://a:9091" })).keys).toEqual([]);
  });

  test("takes a site's name as long as a CronJob's may be", () => {
    expect(faultsOf(sites({ ...SITE, name: "a".repeat(40) })).keys).toEqual([]);
  });

  test("reports all faults at once", () => {
    const change = cluster({
      namespace: "Monitoring",
      probe: { schedule: "often", memoryLimit: "much" },
      pushgatewayUrl: "gateway",
    });
    expect(faultsOf(change).keys).toEqual([
      "cluster.namespace",
      "cluster.pushgatewayUrl",
      "cluster.probe.schedule",
      "cluster.probe.memoryLimit",
    ]);
  });

  test("refuses a configuration of rclone that is none or belongs to no site, and never shows it", () => {
    const configs = (value: object) => ({ driveSyncConfigs: JSON.stringify(value) });
    const wrong = faultsOf({ ...sites(OWN_SITE), ...configs({ blog: "s3cret-7421" }) });
    expect(wrong.keys).toEqual(["driveSyncConfigs.blog"]);
    expect(wrong.text).not.toContain("s3cret-7421");
    const idle = faultsOf({ ...sites(SITE), ...configs({ blog: "[gdrive]\ntype = drive\n" }) });
    expect(idle.keys).toEqual(["driveSyncConfigs.blog"]);
    expect(faultsOf({ ...sites(OWN_SITE), driveSyncConfigs: "no JSON" }).keys).toEqual(["driveSyncConfigs"]);
  });
});
