import * as pulumi from "@pulumi/pulumi";
import * as vault from "@pulumi/vault";
import type { Config } from "./read-config.ts";
import type { SecretCheck } from "./secret-rules.ts";

/** The KV secrets that the configuration names. */
export interface Kv {
  /** A field's value; a missing or wrong one is noted among the faults. */
  readonly field: (path: string, field: string, check: SecretCheck) => string;
  readonly note: (path: string, field: string, fault: string) => void;
  readonly faults: readonly string[];
}

/**
 * Reads KV secrets by their paths. Errors: RunError that names Vault's address, the mount, every path that could not be
 * read with the reason, and what to do.
 */
export async function readKv({ address, mount }: Config["vault"], paths: readonly string[]): Promise<Kv> {
  // A child token would need a right that no reading of secrets needs: auth/token/create.
  const provider = new vault.Provider("vault", {
    ...(address === undefined ? {} : { address }),
    skipChildToken: true,
  });
  const outcomes = await Promise.all([...new Set(paths)].map((path) => readPath(provider, mount, path)));
  const failed = outcomes.flatMap(({ path, reason }) => (reason === undefined ? [] : [{ path, reason }]));
  if (failed.length > 0)
    throw new pulumi.RunError(unreadable(address ?? "the address in VAULT_ADDR", mount, failed));
  const secrets = new Map(outcomes.map(({ path, data }) => [path, data]));
  const faults: string[] = [];
  const note: Kv["note"] = (path, field, fault) => {
    faults.push(`Vault, mount ${mount}, path ${path}, field ${field}: ${fault}`);
  };
  const field: Kv["field"] = (path, name, check) => {
    const value = secrets.get(path)?.[name];
    const rule = value === undefined ? undefined : check(value);
    if (value === undefined) note(path, name, "is missing");
    if (rule !== undefined) note(path, name, `must be ${rule}`);
    return value ?? "";
  };
  return { field, note, faults };
}

interface PathOutcome {
  readonly path: string;
  readonly data?: Readonly<Record<string, string>>;
  /** What the provider said, when it could not read. */
  readonly reason?: string;
}

async function readPath(provider: vault.Provider, mount: string, path: string): Promise<PathOutcome> {
  try {
    return { path, data: (await vault.kv.getSecretV2({ mount, name: path }, { provider })).data };
  } catch (error) {
    return { path, reason: shortReason(error instanceof Error ? error.message : String(error)) };
  }
}

/** The provider's own words, without those of each layer around them. */
function shortReason(message: string): string {
  return message
    .replaceAll(/\s+/g, " ")
    .replace(/^.*returned an error: /, "")
    .replace(/^invoking \S+ /, "")
    .replace(/^\d+ errors? occurred: \* /, "")
    .trim();
}

/** What to do, by what the answer holds. Source: Vault's API, "Error response"; Go's net and crypto/x509. */
const hints: readonly (readonly [RegExp, string])[] = [
  [/x509|certificate/i, "give the authority of Vault's certificate by VAULT_CACERT (the path of a PEM file)"],
  [/sealed/i, "unseal Vault"],
  [
    /permission denied|Code: 403/i,
    "check VAULT_TOKEN and its policy: docs/vault-policy.hcl is one that does",
  ],
  [
    /no secret found|Code: 404|no handler for route|unsupported path/i,
    "check regwarden:vault: mount (KV version 2) and paths",
  ],
  [
    /connection refused|no such host|timeout|i\/o|EOF|dial/i,
    "check that Vault runs and that regwarden:vault.address or VAULT_ADDR names it",
  ],
  [/missing client token|no vault token/i, "set VAULT_TOKEN"],
];

function unreadable(
  address: string,
  mount: string,
  failed: readonly { readonly path: string; readonly reason: string }[],
): string {
  const lines = failed.map(({ path, reason }) => `  path ${path}: ${reason}`);
  const wanted = hints.filter(([pattern]) => failed.some(({ reason }) => pattern.test(reason)));
  const hint = wanted.map(([, text]) => text).join("; ") || "read one of them by hand: vault kv get";
  return [`Vault at ${address}, mount ${mount}, cannot be read:`, ...lines, `Hint: ${hint}.`].join("\n");
}
