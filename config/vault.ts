import * as v from "valibot";
import type { Fault } from "./faults.ts";
import { dnsLabel, line } from "./formats.ts";
import { described, example, withDefault } from "./setting.ts";

/** Vault: where its secrets lie, and what the stack itself makes there so that a pipeline may read them. */

const address = described(
  "the URL of Vault, without path",
  v.pipe(v.string(), v.regex(/^https?:\/\/[^\s/@]+$/)),
);
const path = described(
  "a path below the mount, without leading or trailing slash",
  v.pipe(v.string(), v.regex(/^[\w.-]+(\/[\w.-]+)*$/)),
);
const mount = described("the mount of a KV version 2 engine", path);
const authMount = described("the mount of the authentication method, without slash at either end", path);

// Vault makes names of policies lower case, and these two are its own.
const policyName = described(
  "a name of lower-case letters, digits, dashes and underscores, other than root and default",
  v.pipe(v.string(), v.regex(/^(?!(root|default)$)[a-z0-9][a-z0-9_-]{0,127}$/)),
);
const roleName = described(
  "a name of letters, digits, dashes and underscores",
  v.pipe(v.string(), v.regex(/^\w[\w-]{0,127}$/)),
);
const tokenMinutes = described(
  "a whole number of minutes from 5 to 1440",
  v.pipe(v.number(), v.integer(), v.minValue(5), v.maxValue(1440)),
);
const claim = described("a claim that a token must have: NAME=VALUE", v.pipe(line, v.regex(/^[^=]+=.+$/)));

/** A list that is not empty: a role that binds nothing takes every token that the issuer signs. */
function someOf<Item extends v.GenericSchema>(rule: string, item: Item) {
  return described(rule, v.pipe(v.array(item), v.minLength(1)));
}

const nameOf = (claim: string): string => claim.slice(0, claim.indexOf("="));

const jwt = v.strictObject({
  mount: withDefault(authMount, "jwt"),
  audiences: someOf("a list of audiences, not empty", example(line, "https://vault.example.com")),
  claims: described(
    "a list of claims NAME=VALUE, not empty, each name once",
    v.pipe(
      v.array(example(claim, "project_path=infra/regwarden")),
      v.minLength(1),
      v.check((claims) => new Set(claims.map(nameOf)).size === claims.length),
    ),
  ),
  userClaim: withDefault(line, "sub"),
});

const kubernetes = v.strictObject({
  mount: withDefault(authMount, "kubernetes"),
  serviceAccounts: someOf("a list of service accounts, not empty", example(dnsLabel, "woodpecker-agent")),
  namespaces: someOf("a list of namespaces, not empty", example(dnsLabel, "woodpecker")),
  audience: v.optional(example(line, "vault")),
});

const ciRole = v.strictObject({
  name: withDefault(roleName, "regwarden-ci"),
  tokenMinutes: withDefault(tokenMinutes, 60),
  jwt: v.optional(jwt),
  kubernetes: v.optional(kubernetes),
});

const vault = v.strictObject({
  address: v.optional(example(address, "https://vault.example.com:8200")),
  mount: withDefault(mount, "secret"),
  sshKey: withDefault(path, "regwarden/ssh"),
  account: withDefault(path, "regwarden/account"),
  tls: v.optional(example(path, "regwarden/tls")),
  cachePasswords: v.optional(example(path, "regwarden/caches")),
  driveSync: v.optional(example(path, "regwarden/drive-sync")),
  kubeconfig: v.optional(example(path, "regwarden/kubeconfig")),
  policy: v.optional(example(policyName, "regwarden")),
  ciRole: v.optional(ciRole),
});

export const vaultEntries = { vault: v.optional(vault, {}) };

export type VaultConfig = v.InferOutput<typeof vault>;
export type CiRole = v.InferOutput<typeof ciRole>;

/** Rules that join several keys of Vault. What is off is not checked. */
export function vaultFaults(settings: VaultConfig | undefined, isUsed: boolean): Fault[] {
  const { policy, ciRole } = settings ?? {};
  if (!isUsed || ciRole === undefined) return [];
  return [...rolePolicyFaults(policy), ...roleMethodFaults(ciRole)];
}

function rolePolicyFaults(policy: string | undefined): Fault[] {
  if (policy !== undefined) return [];
  return [
    {
      key: "vault.policy",
      value: "(missing)",
      rule: "the name of the policy that vault.ciRole gives to its tokens",
      example: "regwarden",
    },
  ];
}

function roleMethodFaults({ jwt, kubernetes }: CiRole): Fault[] {
  const isOne = (jwt === undefined) !== (kubernetes === undefined);
  if (isOne) return [];
  return [
    {
      key: "vault.ciRole",
      value: jwt === undefined ? "(neither jwt nor kubernetes)" : "(jwt and kubernetes)",
      rule: "a role of one method: jwt or kubernetes",
      example:
        '{"jwt": {"audiences": ["https://vault.example.com"], "claims": ["project_path=infra/regwarden"]}}',
    },
  ];
}
