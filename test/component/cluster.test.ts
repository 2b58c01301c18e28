import { beforeAll, describe, expect, test, vi } from "vitest";
import { jobSpec, podSpec, withCluster } from "../support/program-stack/cluster.ts";
import { isSecret, plain, type Run, run, visibleText } from "../support/program-stack/engine.ts";
import { PASSWORD, REGISTRY_USER, SECRET_TEXTS } from "../support/program-stack/raw-config.ts";
import { CONFIG } from "../support/program-stack/stack.ts";

// The bundle is built by another step.
vi.mock("node:fs", async (original) => {
  const { withBundles } = await import("../support/program-stack/bundles.ts");
  return withBundles(await original());
});

const { default: registryStack } = await import("../../index.ts");

const RCLONE_CONFIG = "[gdrive]\ntype = drive\ntoken = s3cret-rclone-7421\n";
const site = {
  name: "blog",
  namespace: "blog",
  source: "gdrive:blog",
  requiredFile: "index.html",
  claim: "blog-content",
};
const externalSecret = { store: "vault-kv", key: "wiki", property: "rclone_conf" };

const FULL_CONFIG = {
  ...withCluster({
    createNamespace: true,
    driveSync: { sites: [site, { ...site, name: "wiki", namespace: "wiki", externalSecret }] },
  }),
  driveSyncConfigs: JSON.stringify({ blog: RCLONE_CONFIG }),
  tlsAuthority: CONFIG.tlsCertificate ?? "",
};

describe("a stack without cluster", () => {
  test("declares nothing of Kubernetes", async () => {
    const { declared } = await run(registryStack, { config: CONFIG });
    expect(declared.filter(({ type }) => /kubernetes|registry:cluster/.test(type))).toEqual([]);
  });
});

describe.each([
  ["update", false],
  ["preview", true],
])("the cluster side, in an %s", (_, preview) => {
  let stack: Run<unknown>;
  const kubernetes = () => stack.declared.filter(({ type }) => type.startsWith("kubernetes:"));
  beforeAll(async () => {
    stack = await run(registryStack, { config: FULL_CONFIG, preview });
  });

  test("is these resources", async () => {
    const lines = stack.declared
      .filter(({ type }) => /^(kubernetes:|registry:cluster:|pulumi:providers:kubernetes)/.test(type))
      .map(({ type, name }) => `${type} ${name}`);
    await expect(`${lines.sort().join("\n")}\n`).toMatchFileSnapshot("rendered/cluster-resources.txt");
  });

  test("goes to one provider, what must be new to another, and each object may be taken back from another manager", () => {
    for (const { name, provider, inputs } of kubernetes()) {
      const isNew = ["cluster-namespace", "cluster-owner"].includes(name);
      expect(provider, name).toContain(`pulumi:providers:kubernetes::cluster${isNew ? "-creation" : ""}::`);
      expect(inputs.metadata, name).toMatchObject({ annotations: { "pulumi.com/patchForce": "true" } });
    }
  });

  test("shows no secret outside a secret, and none in another form", () => {
    const text = visibleText(stack.declared);
    for (const secret of [...SECRET_TEXTS, "s3cret-rclone"]) {
      // The certificate is its own authority here, and an authority is no secret.
      if (secret !== "MIIBtjCCAVyg") expect(text).not.toContain(secret);
      expect(text).not.toContain(Buffer.from(secret).toString("base64").slice(0, -4));
    }
    for (const { inputs } of kubernetes().filter(({ type }) => type.endsWith(":Secret"))) {
      expect(isSecret(inputs.data) || Object.values(inputs.data as object).every(isSecret)).toBe(true);
    }
  });

  test.each(["cluster-probe-cron-job", "cluster-drive-sync-blog-cron-job"])(
    "%s passes Pod Security restricted and needs no rights",
    (name) => {
      const pod = podSpec(stack, name);
      expect(pod).toMatchObject({
        restartPolicy: "Never",
        automountServiceAccountToken: false,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 65_532,
          seccompProfile: { type: "RuntimeDefault" },
        },
      });
      expect(pod.containers).toHaveLength(1);
      expect(pod.containers[0]).toMatchObject({
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
        resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: expect.any(String) } },
      });
      expect(pod).not.toHaveProperty("dnsConfig");
    },
  );

  test("has one transform over all of it, for what admission adds", async () => {
    const { transforms } = stack.find("cluster", "registry:cluster:RegistryCluster");
    expect(transforms).toHaveLength(1);
    const type = "kubernetes:batch/v1:CronJob";
    const answer = await transforms[0]?.({ type, name: "one", custom: true, props: {}, opts: {} });
    expect(answer?.opts).toEqual({ ignoreChanges: ["spec.jobTemplate.spec.template.spec.dnsConfig"] });
  });

  test("runs the probe every quarter of an hour, and declares whatever would disarm it", () => {
    const { metadata, spec } = stack.find("cluster-probe-cron-job").inputs;
    expect(metadata).toMatchObject({ name: "registry-integrity-probe", namespace: "monitoring" });
    expect(spec).toMatchObject({
      schedule: "*/15 * * * *",
      timeZone: "Etc/UTC",
      suspend: false,
      concurrencyPolicy: "Forbid",
      startingDeadlineSeconds: 300,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 3,
    });
    expect(jobSpec(stack, "cluster-probe-cron-job")).toMatchObject({
      suspend: false,
      completions: 1,
      parallelism: 1,
      completionMode: "NonIndexed",
      backoffLimit: 1,
      activeDeadlineSeconds: 840,
      ttlSecondsAfterFinished: 3600,
    });
  });

  test("gives the probe what it needs", () => {
    const [container] = podSpec(stack, "cluster-probe-cron-job").containers;
    expect(container).toMatchObject({
      name: "registry-integrity-probe",
      image: "node:24.21.0-bookworm-slim",
      command: ["node", "/opt/regwarden/regwarden.mjs", "probe"],
    });
    const secretKeyRef = { name: "registry-probe-credentials" };
    expect(container?.env).toEqual([
      { name: "REG_USER", valueFrom: { secretKeyRef: { ...secretKeyRef, key: "REG_USER" } } },
      { name: "REG_PASS", valueFrom: { secretKeyRef: { ...secretKeyRef, key: "REG_PASS" } } },
      { name: "REGISTRY_URL", value: "https://registry.example.com:5050" },
      { name: "REGISTRY_INSTANCE", value: "registry.example.com:5050" },
      { name: "PUSHGATEWAY", value: "http://prometheus-prometheus-pushgateway.monitoring:9091" },
      { name: "SENTINEL_REPOSITORY", value: "regwarden/sentinel" },
      { name: "NODE_EXTRA_CA_CERTS", value: "/etc/regwarden/authority/ca.pem" },
    ]);
  });

  test("keeps the account as `data`, which a refresh can compare", () => {
    const { data } = stack.find("cluster-programs-credentials").inputs;
    const values = plain(data) as Record<string, unknown>;
    expect(String(plain(values.REG_USER))).toBe(Buffer.from(REGISTRY_USER).toString("base64"));
    expect(String(plain(values.REG_PASS))).toBe(Buffer.from(PASSWORD).toString("base64"));
  });

  test("makes its own namespace a restricted one", () => {
    expect(stack.find("cluster-namespace").inputs.metadata).toMatchObject({
      name: "monitoring",
      labels: { "pod-security.kubernetes.io/enforce": "restricted" },
    });
  });

  test("lets the operator fetch a site's credentials, or holds them itself", () => {
    expect(stack.find("cluster-drive-sync-wiki-external-secret").inputs).toMatchObject({
      apiVersion: "external-secrets.io/v1",
      spec: {
        refreshInterval: "1h",
        target: { name: "wiki-rclone" },
        data: [{ secretKey: "rclone.conf", remoteRef: { key: "wiki", property: "rclone_conf" } }],
      },
    });
    expect(stack.find("cluster-drive-sync-blog-credentials").inputs.metadata).toMatchObject({
      name: "blog-rclone",
      namespace: "blog",
    });
  });
});

describe("what the programs need in the cluster", () => {
  // As a stack has them in its state that was made when the probe owned them.
  const probe = "registry:cluster:RegistryCluster$registry:cluster:IntegrityProbe";
  const formerly = (type: string, name: string) => `urn:pulumi:test::regwarden::${probe}$${type}::${name}`;

  test.each([
    ["cluster-programs-credentials", formerly("kubernetes:core/v1:Secret", "cluster-probe-credentials")],
    ["cluster-programs-bundle", formerly("kubernetes:core/v1:ConfigMap", "cluster-probe-programs")],
    ["cluster-programs-authority", formerly("kubernetes:core/v1:ConfigMap", "cluster-probe-authority")],
  ])("is taken over from the probe and not made anew: %s", async (name, former) => {
    const { urns } = await run(registryStack, { config: FULL_CONFIG });
    expect(urns.get(name)).toContain(former);
  });

  test("leaves the probe's own objects where they were", async () => {
    const { urns } = await run(registryStack, { config: FULL_CONFIG });
    expect(urns.get("cluster-probe-cron-job")).toContain(
      formerly("kubernetes:batch/v1:CronJob", "cluster-probe-cron-job"),
    );
    expect(urns.get("cluster-probe-service-account")).toContain(
      formerly("kubernetes:core/v1:ServiceAccount", "cluster-probe-service-account"),
    );
  });
});
