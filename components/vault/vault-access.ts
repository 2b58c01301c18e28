import * as pulumi from "@pulumi/pulumi";
import * as vault from "@pulumi/vault";
import { policyDocument } from "./render/policy.ts";

/** By tokens that the pipeline's forge signs. */
export interface JwtLogin {
  readonly mount: string;
  readonly audiences: readonly string[];
  /** NAME=VALUE; a token needs all of them. */
  readonly claims: readonly string[];
  /** The claim that names who logged in, in Vault's audit log. */
  readonly userClaim: string;
}

/** By the service account of the pipeline's pod. */
export interface KubernetesLogin {
  readonly mount: string;
  readonly serviceAccounts: readonly string[];
  readonly namespaces: readonly string[];
  readonly audience?: string | undefined;
}

/** A role by which a pipeline logs in. */
export interface CiRole {
  readonly name: string;
  readonly tokenMinutes: number;
  /** One of the two. */
  readonly jwt?: JwtLogin | undefined;
  readonly kubernetes?: KubernetesLogin | undefined;
}

/** Arguments of {@link VaultAccess}. */
export interface VaultAccessArgs {
  readonly policy: string;
  readonly mount: string;
  /** Every path that the stack reads, with the key of the configuration that names it. */
  readonly secrets: readonly { readonly key: string; readonly path: string }[];
  readonly ciRole: CiRole | undefined;
}

/** The least policy by which this stack can be deployed, and a role that gives it to the tokens of a pipeline. */
export class VaultAccess extends pulumi.ComponentResource {
  constructor(name: string, args: VaultAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:vault:VaultAccess", name, {}, opts);
    const own = { parent: this };
    const { mount, secrets, ciRole } = args;
    const policy = new vault.Policy(
      `${name}-policy`,
      { name: args.policy, policy: policyDocument({ mount, secrets, own: ownPaths(args) }) },
      own,
    );
    if (ciRole?.jwt)
      new vault.jwt.AuthBackendRole(`${name}-ci-role`, jwtRole(ciRole, ciRole.jwt, policy), own);
    if (ciRole?.kubernetes) {
      const role = kubernetesRole(ciRole, ciRole.kubernetes, policy);
      new vault.kubernetes.AuthBackendRole(`${name}-ci-role`, role, own);
    }
    this.registerOutputs({});
  }
}

function ownPaths({ policy, ciRole }: VaultAccessArgs): string[] {
  const login = ciRole?.jwt ?? ciRole?.kubernetes;
  const role = ciRole && login ? [`auth/${login.mount}/role/${ciRole.name}`] : [];
  return [`sys/policies/acl/${policy}`, ...role];
}

/** A token of the role has this policy and no other, and ends by itself. */
function tokenArgs({ tokenMinutes }: CiRole, policy: vault.Policy) {
  const seconds = tokenMinutes * 60;
  return {
    tokenPolicies: [policy.name],
    tokenNoDefaultPolicy: true,
    tokenTtl: seconds,
    tokenMaxTtl: seconds,
  };
}

function jwtRole(role: CiRole, login: JwtLogin, policy: vault.Policy): vault.jwt.AuthBackendRoleArgs {
  return {
    backend: login.mount,
    roleName: role.name,
    roleType: "jwt",
    userClaim: login.userClaim,
    boundAudiences: [...login.audiences],
    boundClaims: Object.fromEntries(login.claims.map(nameAndValue)),
    boundClaimsType: "string",
    // A comma in a value would be an "or".
    disableBoundClaimsParsing: true,
    ...tokenArgs(role, policy),
  };
}

function kubernetesRole(
  role: CiRole,
  login: KubernetesLogin,
  policy: vault.Policy,
): vault.kubernetes.AuthBackendRoleArgs {
  return {
    backend: login.mount,
    roleName: role.name,
    boundServiceAccountNames: [...login.serviceAccounts],
    boundServiceAccountNamespaces: [...login.namespaces],
    ...(login.audience === undefined ? {} : { audience: login.audience }),
    ...tokenArgs(role, policy),
  };
}

function nameAndValue(claim: string): [string, string] {
  const at = claim.indexOf("=");
  return [claim.slice(0, at), claim.slice(at + 1)];
}
