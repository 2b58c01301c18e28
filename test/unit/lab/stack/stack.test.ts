import { expect, test } from "vitest";
import { addressesOf } from "../../../../lab/machine/instances.ts";
import { pulumiEnvironment, stackConfiguration } from "../../../../lab/stack/configuration.ts";
import { changesIn, valueAt } from "../../../../lab/stack/deployment.ts";

const host = {
  address: addressesOf("e2e").address,
  sshPort: 2222,
  hostKey: "ssh-ed25519 AAAA",
  privateKey: "PRIVATE SSH KEY",
};
const certificates = { authority: "AUTHORITY", chain: "CHAIN", privateKey: "PRIVATE TLS KEY" };
const configuration = stackConfiguration("e2e", host, certificates, { user: "ci", password: "secret" });

test("the configuration points at the instance's own addresses", () => {
  expect(configuration["host.address"]).toEqual({ value: "127.77.0.2" });
  expect(configuration["caches[0].remoteUrl"]).toEqual({ value: "http://172.31.72.10:5000" });
});

test("the five caches have the stack's names and ports", () => {
  const caches = [0, 1, 2, 3, 4].map((at) => [
    configuration[`caches[${at}].name`]?.value,
    configuration[`caches[${at}].port`]?.value,
  ]);
  expect(caches).toEqual([
    ["dockerhub", "5000"],
    ["ghcr", "5010"],
    ["quay", "5020"],
    ["k8s", "5030"],
    ["kyverno", "5040"],
  ]);
});

test("exactly keys, account and the certificate's chain are secret", () => {
  const secret = Object.entries(configuration).filter(([, value]) => value.secret);
  expect(secret.map(([key]) => key)).toEqual([
    "sshPrivateKey",
    "registryUser",
    "registryPassword",
    "tlsCertificate",
    "tlsPrivateKey",
  ]);
});

test("the engine's environment names a passphrase file and never a passphrase", () => {
  const environment = pulumiEnvironment("e2e");
  expect(Object.keys(environment).sort()).toEqual([
    "KUBECONFIG",
    "PULUMI_BACKEND_URL",
    "PULUMI_CONFIG_PASSPHRASE_FILE",
    "PULUMI_HOME",
    "PULUMI_SKIP_UPDATE_CHECK",
  ]);
  expect(environment.PULUMI_BACKEND_URL).toMatch(/^file:\/\/.*\/\.lab\/e2e\/state\?metadata=skip$/);
});

test("a value is found by its path in what the engine tells", () => {
  const values = new Map<string, unknown>([
    ["caches", [{ port: 5000 }, { port: 5010 }]],
    ["secretsSource", "config"],
  ]);
  expect(valueAt(values, "caches[1].port")).toBe("5010");
  expect(valueAt(values, "secretsSource")).toBe("config");
  expect(valueAt(values, "caches[2].port")).toBeUndefined();
  expect(valueAt(values, "host.address")).toBeUndefined();
});

test("what a deployment changed is told on one line", () => {
  const output = "Diagnostics:\n  none\n\nResources:\n    ~ 3 updated\n    40 unchanged\n\nDuration: 6s\n";
  expect(changesIn(output)).toBe("~ 3 updated, 40 unchanged");
  expect(changesIn("no summary")).toBe("");
});
