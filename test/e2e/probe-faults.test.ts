import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { probeAlerts } from "../../components/cluster/render/alerts/probe.ts";
import {
  ACCOUNT_SECRET,
  AUTHORITY_CONFIG_MAP,
  AUTHORITY_KEY,
} from "../../components/cluster/render/programs.ts";
import { cronJobs } from "../../contract/cluster-names.ts";
import { stopDaemon } from "../../lab/cluster/daemon.ts";
import { ensureMonitoring, monitoringDaemons } from "../../lab/cluster/monitoring.ts";
import { loadRules } from "../../lab/cluster/rules-loader.ts";
import { waitUntil } from "../../lab/machine/wait.ts";
import { testInFull } from "../support/in-full.ts";
import { apiServerAuthority, cluster, patch, pathOf } from "../support/lab/cluster.ts";
import { noDrift, up } from "../support/lab/expected.ts";
import { becomesHealthy, statusWithoutAccount } from "../support/lab/private-registry.ts";
import { firing, holds, query } from "../support/lab/prometheus.ts";
import { runJob, runJobAndScrape } from "../support/lab/run-job.ts";
import { instance, onHost } from "../support/lab/stack.ts";

const watched = [
  ...probeAlerts({
    instance: "",
    stack: "",
    collects: true,
    backsUp: false,
    breaksGlass: false,
    sites: [],
  }).map(({ name }) => name),
  "RegistryPrivateDown",
];
const backend = "registry-private";

const probe = () => runJob(cronJobs.probe);
const probeAndScrape = () =>
  runJobAndScrape(cronJobs.probe, "registry_manifest_integrity_last_run_timestamp");

/** Alerts about the registry and its probe that fire, everything that is known now considered. */
async function alarms(): Promise<string[]> {
  return (await firing()).filter((name) => watched.includes(name));
}

const errors = () => query("regwarden_probe_errors > 0", "kind");
const gauge = async (name: string) => (await query(name))[""];

beforeAll(async () => {
  // Waiting for half an hour shows nothing that promtool does not; what is asked stays as it is.
  await loadRules(instance, cluster(), 1 / 3600);
});
afterAll(async () => {
  await up();
  await noDrift();
  await loadRules(instance, cluster(), 1);
});

describe("a registry that is complete", () => {
  test("is found complete by the probe, and no alert fires", async () => {
    const { code, log } = await probeAndScrape();
    expect(code, log).toBe(0);
    expect(await gauge("regwarden_probe_complete")).toBe(1);
    expect(await gauge("registry_manifest_integrity_failures")).toBe(0);
    expect(await gauge("registry_manifest_integrity_tags_checked")).toBeGreaterThanOrEqual(2);
    expect(await errors()).toEqual({});
    expect(await alarms()).toEqual([]);
  });
});

describe("a fault is known from the others: ", () => {
  test("the registry is down", async () => {
    await onHost(`docker stop ${backend}`);
    try {
      const { code, log } = await probeAndScrape();
      expect(code, log).toBe(3);
      await holds('up{registry="private"} == 0');
      expect(Object.keys(await errors())).toEqual(["unavailable"]);
      expect(await gauge("registry_manifest_integrity_catalog_accessible")).toBe(0);
      // No count of what was not checked.
      expect(await gauge("registry_manifest_integrity_failures")).toBeUndefined();
      expect(await alarms()).toEqual([
        "RegistryCatalogInaccessible",
        "RegistryIntegrityProbeIncomplete",
        "RegistryPrivateDown",
      ]);
    } finally {
      await onHost(`docker start ${backend}`);
      await becomesHealthy();
    }
  });

  testInFull("the password is wrong", async () => {
    const restore = await change("secrets", ACCOUNT_SECRET, "REG_PASS", "bm90IHRoaXM=");
    try {
      const { code, log } = await probeAndScrape();
      expect(code, log).toBe(3);
      expect(Object.keys(await errors())).toEqual(["unauthorised"]);
      expect(await gauge("regwarden_probe_authentication_required")).toBe(1);
      expect(await alarms()).toEqual([
        "RegistryCatalogInaccessible",
        "RegistryIntegrityProbeIncomplete",
        "RegistryProbeUnauthorised",
      ]);
    } finally {
      await restore();
    }
  });

  testInFull("the certificate comes from another authority", async () => {
    const other = apiServerAuthority();
    const restore = await change("configmaps", AUTHORITY_CONFIG_MAP, AUTHORITY_KEY, other);
    try {
      const { code, log } = await probeAndScrape();
      expect(code, log).toBe(3);
      expect(log).toContain("TLS: ");
      expect(Object.keys(await errors())).toEqual(["unexpected"]);
      expect(await alarms()).toEqual([
        "RegistryAnswersUnexpected",
        "RegistryCatalogInaccessible",
        "RegistryIntegrityProbeIncomplete",
      ]);
    } finally {
      await restore();
    }
  });

  test("another backend answers, with an empty catalogue and without asking for an account", async () => {
    await onHost(
      `docker stop ${backend} && docker run -d --name stale --network registry_registry --network-alias ${backend} registry:2.8.3`,
    );
    try {
      await waitUntil("the other backend", 60, async () => (await statusWithoutAccount()) === "200");
      const { code, log } = await probeAndScrape();
      expect(code, log).toBe(3);
      expect(await errors()).toEqual({});
      expect(await gauge("registry_manifest_integrity_catalog_accessible")).toBe(1);
      expect(await gauge("regwarden_probe_sentinel_present")).toBe(0);
      expect(await gauge("regwarden_probe_authentication_required")).toBe(0);
      // An empty registry has no broken image: that must not pass for a clean one.
      expect(await gauge("registry_manifest_integrity_failures")).toBeUndefined();
      const fired = await alarms();
      expect(fired.filter((name) => name !== "RegistryPrivateDown")).toEqual([
        "RegistryAuthenticationNotRequired",
        "RegistryIntegrityProbeIncomplete",
        "RegistrySentinelMissing",
      ]);
    } finally {
      await onHost(`docker rm -f stale; docker start ${backend}`);
      await becomesHealthy();
    }
  });

  testInFull("the Pushgateway is down", async () => {
    const pushgateway = monitoringDaemons(instance).find(({ name }) => name === "pushgateway");
    if (!pushgateway) throw new Error("the lab has no Pushgateway");
    await stopDaemon(pushgateway);
    try {
      const { code, log } = await probe();
      expect(code, log).toBe(3);
      expect(log).toContain("the metrics could not be put, so no alert will fire");
      await holds('up{job="pushgateway"} == 0');
      expect(await alarms()).toEqual(["RegistryIntegrityProbeAbsent"]);
    } finally {
      await ensureMonitoring(instance);
    }
  });

  test("and none is left when all is well again", async () => {
    const { code, log } = await probeAndScrape();
    expect(code, log).toBe(0);
    await holds('up{registry="private"} == 1');
    expect(await alarms()).toEqual([]);
  });
});

/** Changes one value of an object; what this returns puts the old one back. */
async function change(
  kind: "secrets" | "configmaps",
  name: string,
  key: string,
  value: string,
): Promise<() => Promise<void>> {
  const { data } = (await cluster().get(pathOf(kind, name))) as { data: Record<string, string> };
  await patch(kind, name, { data: { [key]: value } });
  return () => patch(kind, name, { data: { [key]: data[key] } });
}
