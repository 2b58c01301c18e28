import { beforeAll, describe, expect, test } from "vitest";
import {
  ACCOUNT_SECRET,
  AUTHORITY_CONFIG_MAP,
  AUTHORITY_KEY,
} from "../../components/cluster/render/programs.ts";
import { alertRulesName, cronJobs } from "../../contract/cluster-names.ts";
import { bundleFile } from "../../contract/host-paths.ts";
import { cluster, patch, pathOf, stackObjects, takeOver } from "../support/lab/cluster.ts";
import { engineEnds, noDrift, up } from "../support/lab/expected.ts";
import { holds } from "../support/lab/prometheus.ts";
import { instance, pulumi } from "../support/lab/stack.ts";

const password = "typed-with-kubectl";
const encoded = Buffer.from(password).toString("base64");

/** Name of the ConfigMap with the programs; it ends with the hash of its content. */
async function bundleName(): Promise<string> {
  const names = await stackObjects();
  const bundle = names.find((name) => name.startsWith("configmaps/regwarden-programs-"));
  return bundle?.split("/")[1] ?? "";
}

/** One drift run and one healing for all of them: each is ten seconds. */
describe("drift in the cluster, by other field managers", () => {
  const start = Math.floor(Date.now() / 1000);
  let drift: string;
  let table: string;
  beforeAll(async () => {
    await noDrift();
    // A field manager that forces owns the fields from then on; one that only updates shares them.
    await takeOver("cronjobs", cronJobs.probe, { spec: { schedule: "0 0 1 1 *", jobTemplate: {} } });
    await patch("cronjobs", cronJobs.probe, { spec: { suspend: true } });
    await cluster().remove(pathOf("prometheusrules", alertRulesName));
    await takeOver("configmaps", AUTHORITY_CONFIG_MAP, { data: { [AUTHORITY_KEY]: "by hand" } });
    await patch("configmaps", "regwarden-dashboard", { data: { "regwarden.json": null } });
    await patch("secrets", ACCOUNT_SECRET, { data: { REG_PASS: encoded } });
    await patch("serviceaccounts", cronJobs.probe, { automountServiceAccountToken: true });
    const bundle = await bundleName();
    await cluster().remove(pathOf("configmaps", bundle));
    await takeOver("configmaps", bundle, { immutable: true, data: { [bundleFile]: "process.exit(0)" } });
    drift = await engineEnds(7, "drift");
    table = drift.slice(drift.lastIndexOf("differs from its program"));
  });

  test.each([
    ["a job's schedule and its suspension", /update\s+CronJob\s+\S+\s+.*spec\.schedule, spec\.suspend$/m],
    ["a deleted rule", /create\s+PrometheusRule\s+\S+$/m],
    ["an edited ConfigMap", /update\s+ConfigMap\s+\S*authority\s+data\["ca\.pem"\]$/m],
    ["a dashboard that was emptied", /update\s+ConfigMap\s+\S*dashboard\S*\s+data/],
    ["an edited Secret", /update\s+Secret\s+\S*credentials\s+data\.REG_PASS$/m],
    ["a service account that gets a token", /update\s+ServiceAccount\s+\S+\s+automountServiceAccountToken/],
    ["the other job that runs the program", /update\s+CronJob\s+\S*in-use\S*\s+spec\S+configMap\.name$/m],
    [
      "another program under the same name",
      /replace\s+ConfigMap\s+\S*programs-bundle\s+data\["regwarden\.mjs"\]/,
    ],
  ])("%s is shown by name", (_what, shown) => {
    expect(table).toMatch(shown);
  });

  test("is all that is shown, and no Secret in clear", () => {
    expect(table).toMatch(/^differs from its program in 8 resource/);
    expect(drift).not.toContain(password);
    expect(drift).not.toContain(encoded);
  });

  test("is reported to Prometheus by the drift run", async () => {
    await holds(`drift_stack_state{stack="${instance}"} == 1 and drift_stack_count == 8`);
    await holds(`drift_stack_first_seen{stack="${instance}"} > ${start}`);
  });

  test("is healed by the next update, whatever program owns the fields", async () => {
    await up();
    await noDrift();
    await holds(`drift_stack_state{stack="${instance}"} == 0`);
    const job = await cluster().get(pathOf("cronjobs", cronJobs.probe));
    expect(job?.spec).toMatchObject({ schedule: "*/15 * * * *", suspend: false });
    expect(await cluster().get(pathOf("prometheusrules", alertRulesName))).toBeDefined();
    const { data } = (await cluster().get(pathOf("secrets", ACCOUNT_SECRET))) as {
      data: { REG_PASS: string };
    };
    const real = await pulumi("config", "get", "regwarden:registryPassword");
    expect(Buffer.from(data.REG_PASS, "base64").toString()).toBe(real.trim());
    const state = await pulumi("stack", "export");
    expect(state).not.toContain(encoded);
  });
});
