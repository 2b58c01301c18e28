import { describe, expect, test, vi } from "vitest";
import { KUBECONFIG, withCluster } from "../support/program-stack/cluster.ts";
import { type Declared, type Run, run } from "../support/program-stack/engine.ts";
import { HOST_KEY, PASSWORD, REGISTRY_USER, SSH_KEY } from "../support/program-stack/raw-config.ts";
import { CONFIG } from "../support/program-stack/stack.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../support/program-stack/tls.ts";

// The bundle is built by another step.
vi.mock("node:fs", async (original) => {
  const { withBundles } = await import("../support/program-stack/bundles.ts");
  return withBundles(await original());
});

const { default: registryStack } = await import("../../index.ts");

const json = JSON.stringify;

const SECRETS = {
  "secret/regwarden/ssh": { private_key: SSH_KEY, known_hosts_entry: `10.0.20.10 ${HOST_KEY}` },
  "secret/regwarden/account": { registry_user: REGISTRY_USER, registry_password: PASSWORD },
  "secret/regwarden/tls": { certificate: CERTIFICATE, private_key: PRIVATE_KEY },
  "secret/regwarden/kubeconfig": { kubeconfig: KUBECONFIG },
};

type Secrets = typeof SECRETS;

const {
  tlsCertificate: _,
  tlsPrivateKey: __,
  sshPrivateKey: ___,
  ...config
} = {
  ...CONFIG,
  ...withCluster({}),
};

const withSecrets = (secrets: Secrets): Promise<Run<unknown>> =>
  run(registryStack, {
    config: {
      ...config,
      host: json({ address: "10.0.20.10" }),
      secretsSource: "vault",
      vault: json({ tls: "regwarden/tls", kubeconfig: "regwarden/kubeconfig" }),
      dns: json({
        servers: ["10.0.20.1"],
        hosts: [
          {
            name: "proxmox",
            address: "192.0.2.10",
            hostKey: HOST_KEY,
            kind: "resolvConf",
            servers: ["192.0.2.1"],
          },
        ],
      }),
    },
    vault: secrets,
  });

const unchanged = withSecrets(SECRETS);
const rotatedKey = {
  "secret/regwarden/ssh": {
    ...SECRETS["secret/regwarden/ssh"],
    private_key: SSH_KEY.replace("NDIx", "NDIy"),
  },
};

/** Resources whose inputs differ, each with the inputs that do. */
async function changesBy(change: Partial<Secrets>): Promise<Record<string, string[]>> {
  const before = await unchanged;
  const after = await withSecrets({ ...SECRETS, ...change });
  expect(after.declared.map(({ name }) => name)).toEqual(before.declared.map(({ name }) => name));
  const differing = after.declared.map(({ type, name, inputs }): [string, string[]] => [
    `${type} ${name}`,
    Object.keys(inputs).filter((key) => json(inputs[key]) !== json(inputsOf(before, type, name)[key])),
  ]);
  return Object.fromEntries(differing.filter(([, keys]) => keys.length > 0));
}

const inputsOf = (stack: Run<unknown>, type: string, name: string): Declared["inputs"] =>
  stack.find(name, type).inputs;

describe("a secret that changes in Vault", () => {
  test("changes, as the SSH key, how the host is reached and nothing on it", async () => {
    expect(await changesBy(rotatedKey)).toEqual({
      "pulumi:providers:host host": ["connection"],
      "pulumi:providers:host dns-proxmox": ["connection"],
    });
  });

  test("changes, as the registry's password, what holds it and nothing else", async () => {
    const account = { ...SECRETS["secret/regwarden/account"], registry_password: "another 7421" };
    const changes = await changesBy({ "secret/regwarden/account": account });
    expect(changes).toEqual({
      "host:index:Htpasswd registry-files-htpasswd": ["users"],
      "kubernetes:core/v1:Secret cluster-programs-credentials": ["data"],
      // They log in with it. A step that gets another text on standard input does not differ for that.
      "host:index:Step registry-check-run": ["stdin"],
      "host:index:Step registry-check-sentinel": ["stdin"],
    });
  });

  test("changes, as the kubeconfig, how the cluster is reached and nothing in it", async () => {
    const kubeconfig = { kubeconfig: `${KUBECONFIG}\n` };
    expect(await changesBy({ "secret/regwarden/kubeconfig": kubeconfig })).toEqual({
      "pulumi:providers:kubernetes cluster": ["kubeconfig"],
      "pulumi:providers:kubernetes cluster-creation": ["kubeconfig"],
    });
  });
});
