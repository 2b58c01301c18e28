import type { Bag } from "../../../../provider/kinds/kind.ts";

/** What the stand-in makes in Vault of one type. */
interface Kind {
  /** Names of the inputs that it knows. */
  readonly inputs: readonly string[];
  readonly path: (inputs: Bag) => string;
  readonly body: (inputs: Bag) => Bag;
  /** Inputs as Vault has them. */
  readonly found: (data: Bag) => Bag;
}

/** Names of inputs, and of the API's fields: what is written and read is the same. */
const roleFields = {
  roleType: "role_type",
  userClaim: "user_claim",
  boundAudiences: "bound_audiences",
  boundClaimsType: "bound_claims_type",
  tokenPolicies: "token_policies",
  tokenNoDefaultPolicy: "token_no_default_policy",
  tokenTtl: "token_ttl",
  tokenMaxTtl: "token_max_ttl",
} as const;

const fields = Object.entries(roleFields);

/** A claim's one value: as a list it is written, and a list is read. */
function claims(given: unknown, change: (value: unknown) => unknown): Bag {
  return Object.fromEntries(Object.entries(given ?? {}).map(([name, value]) => [name, change(value)]));
}

/** By type. Source: terraform-provider-vault v5.8.0, vault/resource_policy.go, resource_jwt_auth_backend_role.go. */
export const kinds: Readonly<Record<string, Kind>> = {
  "vault:index/policy:Policy": {
    inputs: ["name", "policy"],
    path: ({ name }) => `sys/policies/acl/${name}`,
    body: ({ policy }) => ({ policy }),
    found: ({ policy }) => ({ policy }),
  },
  "vault:jwt/authBackendRole:AuthBackendRole": {
    inputs: ["backend", "roleName", "boundClaims", "disableBoundClaimsParsing", ...Object.keys(roleFields)],
    path: ({ backend, roleName }) => `auth/${backend}/role/${roleName}`,
    body: (inputs) => ({
      ...Object.fromEntries(fields.map(([input, field]) => [field, inputs[input]])),
      bound_claims: claims(inputs.boundClaims, (value) => [value]),
    }),
    found: (data) => ({
      ...Object.fromEntries(fields.map(([input, field]) => [input, data[field]])),
      boundClaims: claims(data.bound_claims, (value) => (Array.isArray(value) ? value.join(",") : value)),
    }),
  },
};
