import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import type { StackSecrets } from "../../config/read-secrets.ts";
import { KUBECONFIG } from "../support/program-stack/cluster.ts";
import { type Run, type RunOptions, resolved, run } from "../support/program-stack/engine.ts";
import {
  CACHE_PASSWORD,
  HOST_KEY,
  PASSWORD,
  PULL_PASSWORD,
  REGISTRY_USER,
  SSH_KEY,
  WITH_CACHE_ACCOUNT,
} from "../support/program-stack/raw-config.ts";
import { CERTIFICATE, OTHER_PRIVATE_KEY, PRIVATE_KEY } from "../support/program-stack/tls.ts";
import { agentSocket } from "../support/server/agent-socket.ts";

const { readConfig } = await import("../../config/read-config.ts");
const { readSecrets } = await import("../../config/read-secrets.ts");
const { vaultOf } = await import("../../config/read-vault.ts");

const RCLONE_CONFIG = "[gdrive]\ntype = drive\n";

const VAULT = {
  "secret/regwarden/ssh": { private_key: SSH_KEY, known_hosts_entry: `10.0.20.10 ${HOST_KEY}` },
  "secret/regwarden/account": {
    registry_user: REGISTRY_USER,
    registry_password: PASSWORD,
    pull_password: PULL_PASSWORD,
  },
  "secret/regwarden/tls": { certificate: CERTIFICATE, private_key: PRIVATE_KEY },
  "secret/regwarden/caches": { dockerhub_registry_password: CACHE_PASSWORD },
  "secret/regwarden/drive-sync": { blog_rclone_conf: RCLONE_CONFIG },
  "secret/regwarden/kubeconfig": { kubeconfig: KUBECONFIG },
};

const VAULT_CONFIG = {
  host: JSON.stringify({ address: "10.0.20.10" }),
  registry: WITH_CACHE_ACCOUNT.registry ?? "",
  caches: WITH_CACHE_ACCOUNT.caches ?? "",
  secretsSource: "vault",
  vault: JSON.stringify({ tls: "regwarden/tls", cachePasswords: "regwarden/caches" }),
};

/** With a site to synchronise; only what has no external secret is the stack's own. */
function withSite(config: Readonly<Record<string, string>>): Record<string, string> {
  const site = {
    name: "blog",
    namespace: "blog",
    source: "gdrive:",
    requiredFile: "index.html",
    claim: "content",
  };
  const externalSecret = { store: "vault-kv", key: "wiki", property: "rclone_conf" };
  const cluster = {
    enabled: true,
    kubeconfigContext: "home",
    alerts: { runbookBaseUrl: "https://git.example.com/runbook.md" },
    driveSync: { sites: [site, { ...site, name: "wiki", externalSecret }] },
  };
  return { ...config, cluster: JSON.stringify(cluster) };
}

const pulling = { private: JSON.stringify({ pullUser: "reader" }) };

const FROM_CONFIG = {
  ...withSite(WITH_CACHE_ACCOUNT),
  ...pulling,
  pullPassword: PULL_PASSWORD,
  driveSyncConfigs: JSON.stringify({ blog: RCLONE_CONFIG }),
  kubeconfig: KUBECONFIG,
};

const FROM_VAULT = {
  ...withSite(VAULT_CONFIG),
  ...pulling,
  vault: JSON.stringify({
    ...JSON.parse(VAULT_CONFIG.vault),
    driveSync: "regwarden/drive-sync",
    kubeconfig: "regwarden/kubeconfig",
  }),
};

/** All secrets with their paths. */
function flatten(secrets: StackSecrets): Record<string, pulumi.Output<string>> {
  const { tls, cachePasswords, driveSyncConfigs, ...rest } = secrets;
  return { ...rest, ...tls.pair, ...cachePasswords, ...driveSyncConfigs } as Record<
    string,
    pulumi.Output<string>
  >;
}

async function read(options: RunOptions): Promise<Run<unknown> & { secrets: StackSecrets }> {
  const box: StackSecrets[] = [];
  const finished = await run(async () => {
    const config = readConfig();
    box.push(await readSecrets(config, vaultOf(config)));
  }, options);
  const [secrets] = box;
  if (secrets === undefined) throw new Error("no secrets");
  return { ...finished, secrets };
}

const EXPECTED = {
  sshPrivateKey: SSH_KEY,
  hostKey: HOST_KEY,
  registryUser: REGISTRY_USER,
  registryPassword: PASSWORD,
  pullPassword: PULL_PASSWORD,
  certificate: CERTIFICATE,
  privateKey: PRIVATE_KEY,
  dockerhub: CACHE_PASSWORD,
  blog: RCLONE_CONFIG,
  kubeconfig: KUBECONFIG,
};

describe.each<[string, RunOptions]>([
  ["the configuration", { config: FROM_CONFIG }],
  ["Vault", { config: FROM_VAULT, vault: VAULT }],
  ["Vault, in a preview", { config: FROM_VAULT, vault: VAULT, preview: true }],
])("secrets from %s", (_, options) => {
  test("are all there, and all marked as secrets", async () => {
    const { secrets } = await read(options);
    const outputs = Object.entries(flatten(secrets));
    const values = await Promise.all(outputs.map(async ([key, output]) => [key, await resolved(output)]));
    expect(Object.fromEntries(values)).toEqual(EXPECTED);
    for (const [key, output] of outputs) expect([key, await pulumi.isSecret(output)]).toEqual([key, true]);
  });
});

describe("secrets from Vault", () => {
  const field = (path: string, name: string, value?: unknown) => {
    const secret: Record<string, unknown> = { ...VAULT[path as keyof typeof VAULT] };
    delete secret[name];
    return { ...VAULT, [path]: value === undefined ? secret : { ...secret, [name]: value } };
  };

  const messageOf = async (vault: RunOptions["vault"] = {}): Promise<string> => {
    const failed = await read({ config: VAULT_CONFIG, vault }).catch((error: unknown) => String(error));
    return typeof failed === "string" ? failed : "no fault";
  };

  test.each([
    ["secret/regwarden/ssh", "private_key", "garbage-7421"],
    ["secret/regwarden/ssh", "known_hosts_entry", "garbage-7421"],
    ["secret/regwarden/account", "registry_user", "garbage: 7421"],
    ["secret/regwarden/account", "registry_password", "garbage\n7421"],
    ["secret/regwarden/tls", "certificate", "garbage-7421"],
    ["secret/regwarden/tls", "private_key", "garbage-7421"],
    ["secret/regwarden/caches", "dockerhub_registry_password", ""],
  ])("say where a field is missing or wrong, and never its value: %s %s", async (path, name, wrong) => {
    const where = `  path ${path.replace("secret/", "")}, field ${name}`;
    expect(await messageOf(field(path, name))).toContain(`${where}: is missing`);
    const message = await messageOf(field(path, name, wrong));
    expect(message).toContain(`${where}: must be `);
    expect(message).not.toContain("7421");
  });

  test("ask for no password of an account that there is not", async () => {
    const { secrets } = await read({
      config: VAULT_CONFIG,
      vault: field("secret/regwarden/account", "pull_password"),
    });
    expect(secrets.pullPassword).toBeUndefined();
  });

  test("say everything that is missing at once", async () => {
    const message = await messageOf({ ...VAULT, "secret/regwarden/account": {} });
    expect(message).toContain(
      "field registry_user: is missing\n  path regwarden/account, field registry_password: is missing",
    );
  });

  test("refuse a key that is not the certificate's", async () => {
    const message = await messageOf(field("secret/regwarden/tls", "private_key", OTHER_PRIVATE_KEY));
    expect(message).toContain(
      "path regwarden/tls, field private_key: must be the private key of the certificate",
    );
  });

  test("may come with the host key and the TLS pair from the configuration", async () => {
    const { host, tlsCertificate, tlsPrivateKey, cachePasswords } = WITH_CACHE_ACCOUNT;
    const own = { host, tlsCertificate, tlsPrivateKey, cachePasswords } as Record<string, string>;
    const { vault: _, ...bare } = VAULT_CONFIG;
    const { secrets } = await read({ config: { ...bare, ...own }, vault: VAULT });
    expect(await resolved(secrets.hostKey)).toBe(HOST_KEY);
    expect(await resolved(secrets.tls.pair?.certificate ?? pulumi.output(""))).toBe(CERTIFICATE);
  });

  const readPaths = async (config: Readonly<Record<string, string>>) =>
    (await read({ config: { ...VAULT_CONFIG, ...config }, vault: VAULT })).asked.toSorted();

  test("are read where they are used, and nowhere else", async () => {
    const host = { address: "10.0.20.10", agentSocketPath: await agentSocket(), hostKey: HOST_KEY };
    const all = { ...JSON.parse(FROM_VAULT.vault) };
    expect(await readPaths({ host: JSON.stringify(host), caches: "[]", vault: JSON.stringify(all) })).toEqual(
      ["secret/regwarden/account", "secret/regwarden/tls"],
    );
    expect(await readPaths(FROM_VAULT)).toEqual(Object.keys(VAULT).toSorted());
  });

  test("are read without a child token, which needs a right of its own", async () => {
    const { find } = await read({ config: VAULT_CONFIG, vault: VAULT });
    expect(String(find("vault", "pulumi:providers:vault").inputs.skipChildToken)).toBe("true");
  });

  test("that cannot be read and that lack a field are one error, with address, mount, all paths and fields, and hints", async () => {
    const vault = JSON.stringify({ ...JSON.parse(VAULT_CONFIG.vault), address: "https://vault:8200" });
    const forbidden =
      'invocation of vault:kv/getSecret:getSecret returned an error: invoking vault:kv/getSecret:getSecret: 1 error occurred:\n\t* error reading secret "secret/data/regwarden/tls" from Vault: Error making API request.\n\nURL: GET https://vault:8200/v1/secret/data/regwarden/tls\nCode: 403. Errors:\n\n* 1 error occurred:\n\t* permission denied\n\n\n\n';
    const faulty = {
      config: { ...VAULT_CONFIG, vault },
      vault: { ...field("secret/regwarden/account", "registry_user"), "secret/regwarden/ssh": null },
      vaultFaults: { "secret/regwarden/tls": forbidden },
    };
    const error = await read(faulty).catch((thrown: unknown) => thrown);
    expect(pulumi.RunError.isInstance(error)).toBe(true);
    expect((error as Error).message).toBe(
      [
        "Vault at https://vault:8200, mount secret, does not give what the stack needs:",
        "  path regwarden/ssh: its latest version is deleted",
        '  path regwarden/tls: error reading secret "secret/data/regwarden/tls" from Vault: Error making API request. URL: GET https://vault:8200/v1/secret/data/regwarden/tls Code: 403. Errors: * 1 error occurred: * permission denied',
        "  path regwarden/account, field registry_user: is missing",
        "Hint: check the policies of VAULT_TOKEN: docs/vault-policy.hcl is one that does; bring the version back with vault kv undelete, or put a new one; set a field, its value from standard input: vault kv patch -mount=secret regwarden/account registry_user=-.",
      ].join("\n"),
    );
  });

  test("may be numbers, which are their text", async () => {
    const vault = field("secret/regwarden/account", "registry_password", 4711);
    const { secrets } = await read({ config: VAULT_CONFIG, vault });
    expect(await resolved(secrets.registryPassword)).toBe("4711");
  });

  test("refuse a kubeconfig without the context that is named", async () => {
    const other = KUBECONFIG.replaceAll('"home"', '"office"');
    const vault = { ...VAULT, "secret/regwarden/kubeconfig": { kubeconfig: other } };
    const failed = await read({ config: FROM_VAULT, vault }).catch((error: unknown) => String(error));
    expect(failed).toContain(
      "path regwarden/kubeconfig, field kubeconfig: must be a kubeconfig with the context home; it has office",
    );
  });

  test("leave the SSH key in Vault where an agent is named", async () => {
    const host = JSON.stringify({ address: "10.0.20.10", agentSocketPath: await agentSocket() });
    const { secrets } = await read({ config: { ...VAULT_CONFIG, host }, vault: VAULT });
    expect(secrets.sshPrivateKey).toBeUndefined();
  });

  test("come from the Vault that is named", async () => {
    const vault = JSON.stringify({
      ...JSON.parse(VAULT_CONFIG.vault),
      address: "https://vault.example.com:8200",
    });
    const { find } = await read({ config: { ...VAULT_CONFIG, vault }, vault: VAULT });
    expect(find("vault", "pulumi:providers:vault").inputs.address).toBe("https://vault.example.com:8200");
  });
});
