import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inUseAlerts } from "../../components/cluster/render/alerts/in-use.ts";
import { inUseClusterRoleName } from "../../components/cluster/render/in-use.ts";
import { ACCOUNT_SECRET } from "../../components/cluster/render/programs.ts";
import { cronJobs } from "../../contract/cluster-names.ts";
import { namespaces } from "../../lab/cluster/endpoints.ts";
import { accessOf, KubernetesClient } from "../../lab/cluster/kubernetes-client.ts";
import { clusterDirectory } from "../../lab/cluster/paths.ts";
import { requestToken } from "../../lab/cluster/pods/admission.ts";
import { sampleImage, sampleWorkload } from "../../lab/cluster/sample-workload.ts";
import { pushCiImage } from "../../lab/images/sample-images.ts";
import { damageCommand } from "../../lab/incident/damage.ts";
import { waitUntil } from "../../lab/machine/wait.ts";
import { cluster, collection, pathOf } from "../support/lab/cluster.ts";
import { noDrift, up } from "../support/lab/expected.ts";
import { removeDanglingLinks } from "../support/lab/private-registry.ts";
import { query } from "../support/lab/prometheus.ts";
import { runJob, runJobAndScrape } from "../support/lab/run-job.ts";
import { instance, onHost } from "../support/lab/stack.ts";

const { kind, namespace, name } = sampleWorkload;
const registry = sampleImage.split("/")[0] ?? "";
const binding = pathOf("clusterrolebindings", inUseClusterRoleName({ namespace: namespaces.monitoring }));
const cannotStart = `${kind} ${namespace}/${name} cannot start a new pod.`;

const check = () => runJob(cronJobs.inUse);
const checkAndScrape = () => runJobAndScrape(cronJobs.inUse, "regwarden_in_use_last_run_timestamp_seconds");

/** Expression of an alert, as it is in the cluster. */
function expressionOf(alert: string): string {
  const all = inUseAlerts({
    instance: "",
    stack: "",
    collects: true,
    backsUp: false,
    breaksGlass: false,
    sites: [],
    imagesOf: registry,
  });
  const found = all.find(({ name }) => name === alert);
  if (!found) throw new Error(`there is no alert ${alert}`);
  return found.expr;
}

/** The API server for who has the pod's account and nothing else. */
async function asPod(): Promise<KubernetesClient> {
  const access = accessOf(instance);
  if (!access) throw new Error(`there is no cluster of the instance ${instance}`);
  const token = await requestToken(cluster(), namespaces.monitoring, cronJobs.inUse);
  return new KubernetesClient({ ...access, token });
}

const deployments = "/apis/apps/v1/deployments";
const gauge = async (metric: string) => (await query(`${metric}{instance="${registry}"}`))[""];
const broken = () => query(expressionOf("RegistryImageInUseBroken"), "workload");

let pod: KubernetesClient;
beforeAll(async () => {
  pod = await asPod();
});
afterAll(async () => {
  await removeDanglingLinks();
  await pushCiImage(instance);
  await up();
  await noDrift();
});

describe("the CronJob that checks the images in use", () => {
  test("runs from its own template, finds that all is there, and Prometheus has the result", async () => {
    const { code, log } = await checkAndScrape();
    expect(code, log).toBe(0);
    expect(log).toContain("nodes are linux/amd64, linux/arm64");
    expect(await gauge("regwarden_in_use_complete")).toBe(1);
    expect(await gauge("regwarden_in_use_workloads")).toBe(1);
    expect(await gauge("regwarden_in_use_images")).toBe(1);
    expect(await broken()).toEqual({});
  });

  test("leaves its token neither in the log nor in a file", async () => {
    const { log } = await check();
    expect(log).not.toMatch(/eyJ[\w-]{10,}\./);
    expect(readdirSync(join(clusterDirectory(instance), "pods"))).toEqual([]);
  });
});

describe("its account", () => {
  test("lists workloads, and neither Secrets nor anything that it could change", async () => {
    expect(JSON.stringify(await pod.list(deployments))).toContain(sampleImage);
    const secret = pathOf("secrets", ACCOUNT_SECRET);
    for (const path of ["/api/v1/secrets", collection("secrets"), secret, collection("configmaps")])
      await expect(pod.get(path), path).rejects.toThrow(/answers 403/);
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
    await expect(pod.merge(path, { spec: { replicas: 0 } })).rejects.toThrow(/answers 403/);
    await expect(requestToken(pod, namespaces.monitoring, cronJobs.inUse)).rejects.toThrow(/answers 403/);
  });

  test("says what it may not list when its binding is gone, which does not count as nothing found, and up heals it", async () => {
    await cluster().remove(binding);
    await waitUntil("the end of the rights", 30, async () => !(await mayList()));
    const { code, log } = await checkAndScrape();
    expect(code, log).toBe(3);
    expect(log).toContain(`${deployments}: answers 403 (forbidden)`);
    expect(log).toContain("NOT COMPLETE");
    expect(await gauge("regwarden_in_use_complete")).toBe(0);
    expect(await query(expressionOf("RegistryInUseIncomplete"), "instance")).toEqual({ [registry]: 0 });
    await up();
    await waitUntil("the rights", 30, mayList);
  });

  const mayList = () =>
    pod.list(deployments).then(
      () => true,
      () => false,
    );
});

describe("an image in use that the collection of untagged manifests has broken", () => {
  test("is reported with the workload that needs it, and the critical alert's expression holds", async () => {
    await onHost(damageCommand);
    const { code, log } = await checkAndScrape();
    expect(code, log).toBe(1);
    expect(log).toContain(`${sampleImage} is broken in the registry: `);
    expect(log).toContain(cannotStart);
    expect(await broken()).toEqual({ [name]: 1 });
    const labels = `namespace="${namespace}",workload_type="${kind}",image="${sampleImage}",reason="broken"`;
    expect(await query(`regwarden_in_use_broken{${labels}}`, "workload")).toEqual({ [name]: 1 });
  });

  test("is no longer reported when it is back", async () => {
    await pushCiImage(instance);
    const { code, log } = await checkAndScrape();
    expect(code, log).toBe(0);
    expect(await gauge("regwarden_in_use_complete")).toBe(1);
    expect(await broken()).toEqual({});
  });
});
