/** What is wrong with what Vault holds, in words; no value of a secret is in it. */

/** A path that could not be read, with the reason, or a field of it that is missing or wrong. */
export interface KvFault {
  readonly path: string;
  /** Undefined where the path as such is the fault. */
  readonly field?: string;
  readonly reason: string;
}

/** What to do, by what a reason holds. Source: Vault's API, "Error response"; Go's net and crypto/x509. */
const hints: readonly (readonly [RegExp, string])[] = [
  [
    /x509|certificate signed/i,
    "give the authority of Vault's certificate by VAULT_CACERT (the path of a PEM file)",
  ],
  [/server gave HTTP response to HTTPS client/i, "write http:// in the address, or give Vault a certificate"],
  [/Vault is sealed/i, "unseal Vault"],
  [/not initialized/i, "initialize Vault"],
  [
    /bad token|invalid token|failed to lookup token.*Code: 403/i,
    "log in again: VAULT_TOKEN is expired, revoked, of another Vault, or may not look itself up",
  ],
  [
    /permission denied|Code: 403/i,
    "check the policies of VAULT_TOKEN: docs/vault-policy.hcl is one that does",
  ],
  [
    /no secret found|Code: 404|no handler for route|unsupported path/i,
    "check regwarden:vault: its mount (KV version 2) and its paths",
  ],
  [/latest version is deleted/i, "bring the version back with vault kv undelete, or put a new one"],
  [
    /connection refused|no such host|timeout|deadline exceeded|no route to host|EOF|dial tcp/i,
    "check that Vault runs, and that regwarden:vault.address or VAULT_ADDR names it",
  ],
  [/failed to configure Vault address/i, "set regwarden:vault.address or VAULT_ADDR"],
  [/missing client token|no vault token/i, "set VAULT_TOKEN"],
];

/** The provider's own words on one line, without those of each layer around them. */
export function shortReason(message: string): string {
  return message
    .replaceAll(/\s+/g, " ")
    .replace(/^.*returned an error: /, "")
    .replace(/^invoking \S+ /, "")
    .replace(/^\d+ errors? occurred: \* /, "")
    .trim();
}

/** One text for all faults: where, what, and what to do. `address` is undefined where the environment names it. */
export function kvFaultsText(address: string | undefined, mount: string, faults: readonly KvFault[]): string {
  const head = `Vault at ${address ?? "the address in VAULT_ADDR"}, mount ${mount}, does not give what the stack needs:`;
  const lines = faults.map(({ path, field, reason }) =>
    field === undefined ? `  path ${path}: ${reason}` : `  path ${path}, field ${field}: ${reason}`,
  );
  return [head, ...lines, `Hint: ${hintsOf(mount, faults).join("; ")}.`].join("\n");
}

function hintsOf(mount: string, faults: readonly KvFault[]): string[] {
  const ofPaths = faults.filter(({ field }) => field === undefined);
  // The first that fits says most: a refused login is a refusal too.
  const found = ofPaths.map(({ reason }) => hints.find(([pattern]) => pattern.test(reason))?.[1]);
  const unknown = ofPaths.find((_, at) => found[at] === undefined);
  const inField = faults.find(({ field }) => field !== undefined);
  const all = [
    ...hints.map(([, text]) => text).filter((text) => found.includes(text)),
    ...(unknown === undefined ? [] : [`read it by hand: vault kv get -mount=${mount} ${unknown.path}`]),
    ...(inField === undefined
      ? []
      : [
          `set a field, its value from standard input: vault kv patch -mount=${mount} ${inField.path} ${inField.field}=-`,
        ]),
  ];
  return [...new Set(all)];
}
