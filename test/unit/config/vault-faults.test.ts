import { describe, expect, test } from "vitest";
import { type KvFault, kvFaultsText, shortReason } from "../../../config/vault-faults.ts";

const apiError = (code: number, errors: string) =>
  `error reading secret "secret/data/a" from Vault: Error making API request.\n\nURL: GET http://vault:8200/v1/secret/data/a\nCode: ${code}. Errors:\n\n* ${errors}`;
const lookup = (rest: string) => `failed to lookup token, err=${rest}`;

/** As the released plugin (7.8.0) gives an error of its upstream through the engine. */
const wrapped = (text: string) =>
  `invocation of vault:kv/getSecret:getSecret returned an error: invoking vault:kv/getSecret:getSecret: 1 error occurred:\n\t* ${text}\n\n`;

const textOf = (...faults: KvFault[]) => kvFaultsText("https://vault:8200", "secret", faults);

describe("a path that cannot be read", () => {
  test.each([
    ["Vault is sealed", lookup(apiError(503, "Vault is sealed")), /: unseal Vault\./],
    [
      "the token is refused",
      apiError(403, "permission denied"),
      /: check the policies of VAULT_TOKEN: docs\/vault-policy\.hcl/,
    ],
    [
      "the token is unknown",
      lookup(apiError(403, "permission denied")),
      /: log in again: VAULT_TOKEN is expired/,
    ],
    ["there is no such path", 'no secret found at "secret/data/a"', /: check regwarden:vault: its mount/],
    [
      "there is no such mount",
      apiError(404, 'no handler for route "kv/data/a"'),
      /: check regwarden:vault: its mount/,
    ],
    [
      "the certificate is of an unknown authority",
      lookup(
        'Get "https://vault:8200/v1/auth/token/lookup-self": tls: failed to verify certificate: x509: certificate signed by unknown authority',
      ),
      /: give the authority of Vault's certificate by VAULT_CACERT/,
    ],
    [
      "Vault speaks no TLS",
      lookup('Get "https://vault:8200/v1/x": http: server gave HTTP response to HTTPS client'),
      /: write http:\/\/ in the address/,
    ],
    [
      "Vault does not answer",
      lookup('Get "https://vault:8200/v1/x": dial tcp 10.0.0.1:8200: connect: connection refused'),
      /: check that Vault runs/,
    ],
    [
      "there is no address",
      "failed to configure Vault address",
      /: set regwarden:vault.address or VAULT_ADDR\./,
    ],
    ["there is no token", "no vault token set on Client", /: set VAULT_TOKEN\./],
    ["the latest version is deleted", "its latest version is deleted", /: bring the version back/],
    [
      "the reason is unknown",
      "something else",
      /: read it by hand: vault kv get -mount=secret regwarden\/ssh\./,
    ],
  ])("says on one line that %s, and one hint", (_, text, hint) => {
    const lines = textOf({ path: "regwarden/ssh", reason: shortReason(wrapped(text)) }).split("\n");
    expect(lines).toHaveLength(3);
    expect(lines[0]).toBe("Vault at https://vault:8200, mount secret, does not give what the stack needs:");
    expect(lines[1]).toMatch(/^ {2}path regwarden\/ssh: (?!invo|1 error)/);
    expect(lines[2]).toMatch(hint);
    expect(lines[2]?.split("; ")).toHaveLength(1);
  });
});

test("the same hint is given once for several paths, and others beside it", () => {
  const faults = [
    { path: "a", reason: shortReason(wrapped(apiError(403, "permission denied"))) },
    { path: "b", reason: shortReason(wrapped(apiError(403, "permission denied"))) },
    { path: "c", field: "user", reason: "is missing" },
    { path: "c", field: "password", reason: "is missing" },
  ];
  const hint = textOf(...faults)
    .split("\n")
    .at(-1);
  expect(hint).toBe(
    "Hint: check the policies of VAULT_TOKEN: docs/vault-policy.hcl is one that does; set a field, its value from standard input: vault kv patch -mount=secret c user=-.",
  );
});

test("without an address in the configuration, the environment's is named", () => {
  expect(kvFaultsText(undefined, "kv", [{ path: "a", reason: "x" }])).toContain(
    "Vault at the address in VAULT_ADDR, mount kv,",
  );
});
