import { describe, expect, test } from "vitest";
import type { Variable } from "../../../components/cluster/render/cron-job.ts";
import { inUseCronJob } from "../../../components/cluster/render/in-use.ts";
import { probeCronJob } from "../../../components/cluster/render/probe.ts";
import type { ClusterSettings } from "../../../components/cluster/settings.ts";
import { breakGlassUnit } from "../../../components/host/render/break-glass-units.ts";
import { scanUnit } from "../../../components/host/render/units.ts";
import { sentinelReference } from "../../../contract/registries.ts";
import { parseExportArguments } from "../../../scripts/export/args.ts";
import { parseInUseArguments } from "../../../scripts/in-use/args.ts";
import { parseProbeArguments } from "../../../scripts/probe/args.ts";
import { parseScanArguments } from "../../../scripts/scan/args.ts";
import { SETTINGS } from "../../support/program-stack/settings.ts";

const instance = "registry.example.com:5050";
const cluster: ClusterSettings = {
  namespace: "monitoring",
  createNamespace: false,
  pushgatewayUrl: "http://pushgateway.monitoring:9091",
  nodeImage: SETTINGS.images.node,
  probe: {
    schedule: "*/15 * * * *",
    shards: 3,
    instance,
    registryUrl: `https://${instance}`,
    memoryLimit: "256Mi",
  },
  scrape: {
    as: "none",
    labels: [],
    pushgateway: false,
    metricsAddress: "",
    registries: [],
    backsUp: false,
    breaksGlass: false,
  },
  inUse: { enabled: true, registry: instance, schedule: "7-59/15 * * * *", memoryLimit: "256Mi" },
  alerts: {
    as: "prometheusRule",
    runbookBaseUrl: "https://git.example.com/runbook.md",
    collects: false,
    backsUp: false,
    breaksGlass: false,
    labels: [],
  },
  dashboard: { enabled: true },
  driveSync: { image: "rclone/rclone:1.74.3", sites: [] },
};
const mounts = { bundle: "programs", secret: "account", serviceAccount: "own", authority: "authority" };

/** What a container's program gets, where each key of the Secret holds its own name. */
function given(spec: ReturnType<typeof probeCronJob>) {
  const [container] = spec.jobTemplate.spec.template.spec.containers;
  const value = ({ value, valueFrom }: Variable) => value ?? valueFrom?.secretKeyRef.key;
  const environment = Object.fromEntries((container?.env ?? []).map((one) => [one.name, value(one)]));
  const [, , command, ...argv] = container?.command ?? [];
  return { command, argv: argv.map((word) => word.replace("$(JOB_COMPLETION_INDEX)", "2")), environment };
}

describe("what the stack starts a program with", () => {
  test("is what the probe understands", () => {
    const { command, argv, environment } = given(probeCronJob(cluster, mounts));
    expect(command).toBe("probe");
    expect(parseProbeArguments(argv, environment)).toMatchObject({
      origin: `https://${instance}`,
      instance,
      account: { user: "REG_USER", password: "REG_PASS" },
      pushgateway: cluster.pushgatewayUrl,
      sentinel: sentinelReference.repository,
      shard: { index: 2, count: 3 },
    });
  });

  test("is what in-use understands", () => {
    const { command, argv, environment } = given(inUseCronJob(cluster, mounts));
    expect(command).toBe("in-use");
    expect(parseInUseArguments(argv, environment)).toMatchObject({
      registries: [{ name: instance, origin: `https://${instance}` }],
      account: { user: "REG_USER", password: "REG_PASS" },
      pushgateway: cluster.pushgatewayUrl,
    });
  });

  test("is what the scan understands", () => {
    const [, line = ""] = / node \/regwarden\.mjs scan (.*)/.exec(scanUnit(SETTINGS)) ?? [];
    expect(parseScanArguments(line.split(" "))).toMatchObject({
      directory: "/data",
      reportPath: "/report/scan.json",
      metricsPath: "/report/scan.prom",
    });
  });

  test("is what the export understands", () => {
    const breakGlass = { images: ["infra-ci:latest"], directory: "/copies", onCalendar: "daily" };
    const [, line = ""] =
      / node \/regwarden\.mjs export (.*)/.exec(breakGlassUnit(SETTINGS, breakGlass)) ?? [];
    expect(parseExportArguments(line.split(" "))).toEqual({
      directory: "/opt/registry/data",
      registry: "private",
      images: [{ repository: "infra-ci", tag: "latest" }],
      target: "/copies",
      metricsPath: "/report/break-glass.prom",
    });
  });
});
