import { readFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { KUBECONFIG } from "../support/program-stack/cluster.ts";
import { type Declared, plain, type Run, run } from "../support/program-stack/engine.ts";
import {
  CACHE_PASSWORD,
  HOST_KEY,
  PASSWORD,
  REGISTRY_USER,
  SSH_KEY,
  WITH_CACHE_ACCOUNT,
} from "../support/program-stack/raw-config.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../support/program-stack/tls.ts";
import { agentSocket } from "../support/server/agent-socket.ts";

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
  "secret/regwarden/caches": { dockerhub_registry_password: CACHE_PASSWORD },
  "secret/regwarden/drive-sync": { blog_rclone_conf: "[gdrive]\ntype = drive\n" },
  "secret/regwarden/kubeconfig": { kubeconfig: KUBECONFIG },
};

const PATHS = {
  tls: "regwarden/tls",
  cachePasswords: "regwarden/caches",
  driveSync: "regwarden/drive-sync",
  kubeconfig: "regwarden/kubeconfig",
};

const JWT = {
  audiences: ["https://vault.example.com"],
  claims: ["project_path=infra/regwarden", "ref=refs/heads/main", "sub=a=b,c"],
};

/** Every secret of Vault is used. */
const EVERYTHING = {
  host: json({ address: "10.0.20.10" }),
  registry: WITH_CACHE_ACCOUNT.registry ?? "",
  caches: WITH_CACHE_ACCOUNT.caches ?? "",
  secretsSource: "vault",
  cluster: json({
    enabled: true,
    kubeconfigContext: "home",
    alerts: { runbookBaseUrl: "https://git.example.com/runbook.md" },
    driveSync: {
      sites: [
        { name: "blog", namespace: "blog", source: "gdrive:", requiredFile: "index.html", claim: "content" },
      ],
    },
  }),
};

const withVault = (vault: object, more: Record<string, string> = {}): Promise<Run<unknown>> =>
  run(registryStack, {
    config: { ...EVERYTHING, vault: json({ ...PATHS, ...vault }), ...more },
    vault: SECRETS,
  });

const made = ({ declared }: Run<unknown>): readonly Declared[] =>
  declared.filter(({ type }) => type.startsWith("vault:"));

const policyText = (stack: Run<unknown>) => String(plain(stack.find("vault-policy").inputs.policy));

/** Paths that a policy allows to read; another right is a fault of the test. */
const readable = (policy: string) =>
  policy
    .split("\n")
    .filter((line) => line.startsWith("path"))
    .map(
      (line) => /^path "([^"*+]+)" { capabilities = \["read"\] }$/.exec(line)?.[1] ?? `unexpected: ${line}`,
    );

describe("what the stack makes in Vault", () => {
  test("is nothing by default", async () => {
    const stack = await withVault({});
    expect(made(stack)).toEqual([]);
    expect(stack.declared.filter(({ type }) => type.startsWith("registry:vault"))).toEqual([]);
  });

  test("is the policy of docs/vault-policy.hcl where all secrets are used", async () => {
    const stack = await withVault({ policy: "regwarden", ciRole: { jwt: JWT } });
    const file = new URL("../../docs/vault-policy.hcl", import.meta.url);
    expect(policyText(stack)).toBe(readFileSync(file, "utf8"));
    expect(stack.find("vault-policy").inputs.name).toBe("regwarden");
  });

  test("is a policy that allows to read exactly the secrets that are read, and what the stack makes", async () => {
    const agentSocketPath = await agentSocket();
    const host = { address: "10.0.20.10", agentSocketPath, hostKey: HOST_KEY };
    const variants = [
      { config: {}, vault: { mount: "secret" } },
      { config: { host: json(host), caches: "[]" }, vault: {} },
      { config: { cluster: json({}) }, vault: { account: "regwarden/tls" } },
    ];
    for (const { config, vault } of variants) {
      const secrets = {
        ...SECRETS,
        "secret/regwarden/tls": {
          ...SECRETS["secret/regwarden/tls"],
          ...SECRETS["secret/regwarden/account"],
        },
      };
      const stack = await run(registryStack, {
        config: { ...EVERYTHING, ...config, vault: json({ ...PATHS, ...vault, policy: "stack-1" }) },
        vault: secrets,
      });
      const asked = stack.asked.map((path) => path.replace("secret/", "secret/data/"));
      expect(readable(policyText(stack)).sort()).toEqual(
        [...asked, "auth/token/lookup-self", "sys/policies/acl/stack-1"].sort(),
      );
    }
  });

  test("is a role that takes tokens with all claims, and gives them this policy and no other for an hour", async () => {
    const stack = await withVault({ policy: "regwarden", ciRole: { jwt: JWT } });
    const role = stack.find("vault-ci-role", "vault:jwt/authBackendRole:AuthBackendRole");
    expect(role.inputs).toEqual({
      backend: "jwt",
      roleName: "regwarden-ci",
      roleType: "jwt",
      userClaim: "sub",
      boundAudiences: ["https://vault.example.com"],
      boundClaims: { project_path: "infra/regwarden", ref: "refs/heads/main", sub: "a=b,c" },
      boundClaimsType: "string",
      disableBoundClaimsParsing: true,
      tokenPolicies: ["regwarden"],
      tokenNoDefaultPolicy: true,
      tokenTtl: 3600,
      tokenMaxTtl: 3600,
    });
    expect(readable(policyText(stack))).toContain("auth/jwt/role/regwarden-ci");
  });

  test("is a role for the service account of a pod", async () => {
    const kubernetes = {
      mount: "k8s/home",
      serviceAccounts: ["ci"],
      namespaces: ["woodpecker"],
      audience: "vault",
    };
    const ciRole = { name: "ci", tokenMinutes: 15, kubernetes };
    const stack = await withVault({ policy: "regwarden", ciRole });
    const role = stack.find("vault-ci-role", "vault:kubernetes/authBackendRole:AuthBackendRole");
    expect(role.inputs).toEqual({
      backend: "k8s/home",
      roleName: "ci",
      boundServiceAccountNames: ["ci"],
      boundServiceAccountNamespaces: ["woodpecker"],
      audience: "vault",
      tokenPolicies: ["regwarden"],
      tokenNoDefaultPolicy: true,
      tokenTtl: 900,
      tokenMaxTtl: 900,
    });
    expect(readable(policyText(stack))).toContain("auth/k8s/home/role/ci");
  });

  test("is made through the provider that reads the secrets, without a child token", async () => {
    const stack = await withVault({ policy: "regwarden", ciRole: { jwt: JWT } });
    const { inputs } = stack.find("vault", "pulumi:providers:vault");
    expect(String(inputs.skipChildToken)).toBe("true");
    for (const { provider } of made(stack))
      expect(provider).toMatch(/^urn:.*pulumi:providers:vault::vault::/);
    expect(made(stack)).toHaveLength(2);
  });
});
