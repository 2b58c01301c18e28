/** The former monitoring's objects, as Terraform and Helm made them. */

const namespace = "monitoring";
const env = {
  REGISTRY_HOST: "10.0.20.10:5050",
  REGISTRY_INSTANCE: "registry.example.com:5050",
  PUSHGATEWAY:
    "http://prometheus-prometheus-pushgateway.monitoring:9091/metrics/job/registry-integrity-probe",
  TAGS_PER_REPO: "5",
};
const fromSecret = (name: string) => ({
  name,
  valueFrom: { secretKeyRef: { name: "registry-probe-credentials", key: name } },
});

export const formerProbe = {
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: { name: "registry-integrity-probe", namespace },
  spec: {
    schedule: "*/15 * * * *",
    concurrencyPolicy: "Forbid",
    jobTemplate: {
      spec: {
        backoffLimit: 1,
        ttlSecondsAfterFinished: 600,
        template: {
          spec: {
            restartPolicy: "OnFailure",
            containers: [
              {
                name: "registry-integrity-probe",
                image: "docker.io/library/alpine:3.20",
                command: ["/bin/sh", "-c", "apk add --no-cache curl jq; exit 0"],
                env: [
                  fromSecret("REG_USER"),
                  fromSecret("REG_PASS"),
                  ...Object.entries(env).map(([name, value]) => ({ name, value })),
                ],
                resources: { requests: { cpu: "10m", memory: "48Mi" }, limits: { memory: "96Mi" } },
              },
            ],
          },
        },
      },
    },
  },
};

export const formerSecret = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "registry-probe-credentials", namespace },
  type: "Opaque",
  stringData: { REG_USER: "builder", REG_PASS: "former password 7421" },
};

export const formerRules = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "prometheus-server", namespace },
  data: {
    "alerting_rules.yml": `groups:
- name: Cluster
  rules:
  - alert: NodeDown
    expr: up == 0
  - alert: DockerRegistryDown
    expr: (registry_process_start_time_seconds or on() vector(0)) == 0
    for: 10m
  - alert: RegistryManifestIntegrityFailure
    expr: registry_manifest_integrity_failures > 0
    for: 30m
  - alert: RegistryIntegrityProbeStale
    expr: time() - registry_manifest_integrity_last_run_timestamp > 3600
    for: 15m
`,
  },
};
