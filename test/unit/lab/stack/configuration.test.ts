import { expect, test } from "vitest";
import { gatewayOf, urlsOf } from "../../../../lab/cluster/endpoints.ts";
import { addressesOf } from "../../../../lab/machine/instances.ts";
import { clusterConfiguration, stackConfiguration } from "../../../../lab/stack/configuration.ts";

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

test("pods push to the machine's address on the instance's network, because its loopback is not theirs", () => {
  expect(gatewayOf("lab")).toBe("172.31.71.1");
  expect(clusterConfiguration("lab")["cluster.pushgatewayUrl"]?.value).toBe("http://172.31.71.1:9091");
  expect(urlsOf("lab").pushgateway).toBe("http://127.77.0.1:9091");
});
