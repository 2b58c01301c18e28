import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { VaultStack } from "../support/vault/stack.ts";
import { ensureVault } from "../support/vault/tool.ts";

let missing: string | undefined;
let stack: VaultStack;

beforeAll(async () => {
  missing = await ensureVault();
  if (missing !== undefined) return;
  stack = await VaultStack.start();
  await stack.run(0, stack.vault.rootToken, "up");
});

beforeEach(({ skip }) => {
  skip(missing !== undefined, missing);
});

afterAll(() => stack?.stop());

/** What a preview says, once: address and mount, and no stack trace. */
async function fault(token: string): Promise<string> {
  const output = await stack.run(1, token, "preview");
  const said = `Vault at ${stack.vault.address}, mount secret, does not give what the stack needs:`;
  expect(output.split(said), output).toHaveLength(2);
  expect(output).not.toMatch(/unhandled|^\s+at /im);
  return output;
}

const read = (path: string) => `path "${path}" { capabilities = ["read"] }\n`;

const policy = [
  "auth/token/lookup-self",
  "secret/data/regwarden/account",
  "secret/data/regwarden/tls",
  "secret/data/regwarden/none",
].map(read);

async function tokenWith(rules: readonly string[]): Promise<string> {
  stack.vault.file("narrow.hcl", rules.join(""));
  return await stack.vault.sh(
    "vault policy write narrow narrow.hcl >&2 && vault token create -policy=narrow -no-default-policy -field=token",
  );
}

describe("a stack that a real Vault does not give its secrets", { timeout: 900_000 }, () => {
  test("says in one error which path is forbidden, which is missing, and which field is", async () => {
    await stack.vault.sh("vault kv put -mount=secret regwarden/account registry_user=ci");
    stack.configure({ tls: "regwarden/none" });
    const output = await fault(await tokenWith(policy));
    expect(output).toMatch(/path regwarden\/ssh: .*Code: 403.*permission denied/);
    expect(output).toMatch(/path regwarden\/none: no secret found at/);
    expect(output).toContain("path regwarden/account, field registry_password: is missing");
    expect(output).toMatch(/Hint: check the policies of VAULT_TOKEN.*check regwarden:vault.*set a field/);
    stack.configure();
  });

  test("says that the latest version of a path is deleted", async () => {
    await stack.vault.sh("vault kv delete -mount=secret regwarden/account");
    const output = await fault(stack.vault.rootToken);
    expect(output).toContain("path regwarden/account: its latest version is deleted");
    await stack.vault.sh("vault kv undelete -mount=secret -versions=2 regwarden/account");
  });

  test("says that the engine at the mount is of version 1", async () => {
    await stack.vault.sh(
      "vault secrets enable -path=old -version=1 kv && vault kv put -mount=old regwarden/account a=b",
    );
    stack.configure({ tls: "regwarden/tls", mount: "old" });
    const output = await stack.run(1, stack.vault.rootToken, "preview");
    expect(output).toContain(`Vault at ${stack.vault.address}, mount old,`);
    expect(output).toMatch(/Hint: check regwarden:vault: its mount \(KV version 2\) and its paths/);
    stack.configure();
  });

  test("says that a token is unknown, or may not look itself up", async () => {
    for (const token of ["hvs.unknown", await tokenWith(policy.slice(1))])
      expect(await fault(token)).toMatch(/Hint: log in again/);
  });

  test("says that Vault is sealed, and that it does not run", async () => {
    const { rootToken } = stack.vault;
    await stack.vault.seal();
    expect(await fault(rootToken)).toMatch(/Hint: unseal Vault\./);
    await stack.vault.unseal();
    await stack.vault.stop();
    expect(await fault(rootToken)).toMatch(/Hint: check that Vault runs/);
  });
});
