import { afterAll, describe, expect, test } from "vitest";
import { driveSyncCronJob } from "../../components/cluster/render/drive-sync.ts";
import { cronJobs } from "../../contract/cluster-names.ts";
import { waitUntil } from "../../lab/machine/wait.ts";
import { cluster, collection, patch, pathOf } from "../support/lab/cluster.ts";
import { engineEnds, noDrift, up } from "../support/lab/expected.ts";
import { pulumi } from "../support/lab/stack.ts";

type Fields = Readonly<Record<string, unknown>>;

interface PodSpec extends Fields {
  readonly containers: readonly Fields[];
}

interface CronJobSpec {
  readonly jobTemplate: { readonly spec: { readonly template: { readonly spec: PodSpec } } };
}

const dnsConfig = { options: [{ name: "ndots", value: "1" }] };
const injected = { spec: { jobTemplate: { spec: { template: { spec: { dnsConfig } } } } } };

describe("what admission adds to the objects", () => {
  const namespace = "registry-watch";
  const path = `/api/v1/namespaces/${namespace}`;

  test("is no drift: Kyverno's dnsConfig", async () => {
    await patch("cronjobs", cronJobs.probe, injected);
    await noDrift();
    await up();
    const { spec } = (await cluster().get(pathOf("cronjobs", cronJobs.probe))) as { spec: CronJobSpec };
    expect(spec.jobTemplate.spec.template.spec).toMatchObject({ dnsConfig });
  });

  test("is no drift: Goldilocks' label on the stack's own namespace, while any other change of it is", async () => {
    await pulumi("config", "set", "--path", "regwarden:cluster.namespace", namespace);
    await pulumi("config", "set", "--path", "regwarden:cluster.createNamespace", "true");
    await up();
    const label = { "goldilocks.fairwinds.com/vpa-update-mode": "off" };
    await cluster().merge(path, { metadata: { labels: label } }, "goldilocks");
    await noDrift();
    const weakened = { "pod-security.kubernetes.io/enforce": "privileged" };
    await cluster().merge(path, { metadata: { labels: weakened } }, "kubectl-edit");
    expect(await engineEnds(7, "drift")).toMatch(
      /update\s+Namespace\s+\S+\s+metadata\.labels\[.*enforce"\]$/m,
    );
    await up();
    const { metadata } = (await cluster().get(path)) as { metadata: { labels: Fields } };
    expect(metadata.labels).toMatchObject({ ...label, "pod-security.kubernetes.io/enforce": "restricted" });
  });

  afterAll(async () => {
    await pulumi("config", "rm", "--path", "regwarden:cluster.createNamespace");
    await pulumi("config", "set", "--path", "regwarden:cluster.namespace", "monitoring");
    await up();
    await noDrift();
    // The stack leaves it where it is.
    expect(await cluster().get(path)).toBeDefined();
    await cluster().remove(path);
    await finalise(path);
  });
});

/** Lets a namespace go that is being deleted and is empty: the lab has no controller that does. */
async function finalise(path: string): Promise<void> {
  await waitUntil(`the end of ${path}`, 120, async () => {
    const found = (await cluster().get(path)) as { metadata: Fields; spec: Fields } | undefined;
    if (found?.metadata.deletionTimestamp === undefined) return found === undefined;
    await cluster().merge(path, { metadata: { finalizers: null } });
    await cluster().replace(`${path}/finalize`, {
      ...found,
      spec: {},
      metadata: { name: found.metadata.name },
    });
    return false;
  });
}

/** The pod that a CronJob would make. */
const podOf = ({ jobTemplate }: CronJobSpec): PodSpec => jobTemplate.spec.template.spec;

/** Has the API server admit a pod, and takes it away again. Errors: throws what the server says. */
async function admit(spec: Fields): Promise<void> {
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "admission-test" }, spec };
  await cluster().apply(collection("pods"), pod, "kubectl");
  await cluster().remove(pathOf("pods", "admission-test"));
}

describe('Pod Security "restricted", enforced by the API server', () => {
  const site = {
    name: "blog",
    namespace: "blog",
    schedule: "*/10 * * * *",
    source: "drive:blog",
    requiredFile: "index.html",
    claim: "blog-content",
    runAsUser: 65_532,
    memoryLimit: "192Mi",
  };
  const sync = driveSyncCronJob(
    site,
    { image: "rclone/rclone:1.74.3", pushgatewayUrl: "http://pushgateway:9091" },
    { secret: "rclone", serviceAccount: "default" },
  );
  const probe = async () => {
    const { spec } = (await cluster().get(pathOf("cronjobs", cronJobs.probe))) as { spec: CronJobSpec };
    return podOf(spec);
  };

  test("admits the pods of the probe and of the Drive synchronisation", async () => {
    await admit(await probe());
    await admit(podOf(sync as never));
  });

  test.each<[string, Fields]>([
    ["may become root", { runAsNonRoot: false, runAsUser: 0 }],
    ["may gain privileges", { allowPrivilegeEscalation: true }],
    ["keeps a capability", { capabilities: { drop: ["ALL"], add: ["NET_ADMIN"] } }],
    ["has no seccomp profile", { seccompProfile: { type: "Unconfined" } }],
  ])("refuses a template that %s", async (_what, broken) => {
    const spec = await probe();
    const containers = spec.containers.map((container) => {
      const security = container.securityContext as Fields;
      return { ...container, securityContext: { ...security, ...broken } };
    });
    await expect(admit({ ...spec, containers })).rejects.toThrow(
      /answers 403: .*violates PodSecurity .{1,2}restricted/,
    );
  });
});

describe("a configuration of the cluster side that cannot work", () => {
  const key = (path: string) => `regwarden:cluster.${path}`;
  const set = (path: string, value: string) => pulumi("config", "set", "--path", key(path), value);

  test("is refused before anything is changed, all faults at once", async () => {
    const url = await pulumi("config", "get", "--path", key("pushgatewayUrl"));
    const name = "a-site-with-a-name-that-no-cronjob-could-bear";
    await set("probe.schedule", "*/15 * * *");
    await set("probe.memoryLimit", "256 MB");
    await set("probe.shards", "0");
    await set("pushgatewayUrl", "pushgateway:9091");
    await set("driveSync.sites[0].name", name);
    const output = await engineEnds(1, "up", "--yes").finally(async () => {
      await pulumi("config", "rm", "--path", key("probe"));
      await pulumi("config", "rm", "--path", key("driveSync"));
      await set("pushgatewayUrl", url.trim());
    });
    const faults = ["probe.schedule", "*/15 * * *", "probe.memoryLimit", "256 MB", "probe.shards"];
    const more = ["pushgatewayUrl", "a URL: http or https", "driveSync.sites[0].name", name];
    for (const fault of [...faults, ...more]) expect(output).toContain(fault);
    await noDrift();
  });
});
