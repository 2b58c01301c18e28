import { createSign, generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { passwords, shownBlock, sshKeys, VaultStack } from "../support/vault/stack.ts";
import { ensureVault } from "../support/vault/tool.ts";

let missing: string | undefined;
let stack: VaultStack;

beforeAll(async () => {
  missing = await ensureVault();
  if (missing === undefined) stack = await VaultStack.start();
});

beforeEach(({ skip }) => {
  skip(missing !== undefined, missing);
});

afterAll(() => stack?.stop());

const reads = [
  "read auth/token/lookup-self",
  "read secret/data/regwarden/account",
  "read secret/data/regwarden/ssh",
  "read secret/data/regwarden/tls",
];

describe("a stack with its secrets in a real Vault", { timeout: 900_000 }, () => {
  let token = "";

  test("is deployed with the least token, reads each path that is used and asks for nothing else", async () => {
    token = await stack.tokenOf(shownBlock("vault policy write regwarden"));
    const asked = await stack.askedDuring(async () => {
      expect(await stack.run(0, token, "up")).not.toMatch(/deprecat|warning/i);
    });
    expect(asked).toEqual(reads);
    expect(stack.step("password").content).toBe(passwords[0]);
    for (const operation of ["preview", "drift"] as const)
      expect(await stack.askedDuring(() => stack.run(0, token, operation))).toEqual(reads);
    await expect(stack.vault.sh("vault token create", token)).rejects.toThrow(/permission denied/);
  });

  test("shows nothing of a new SSH key, and changes no resource by it", async () => {
    const before = stack.step("password");
    await stack.vault.sh(shownBlock("private_key=@id_ed25519.new"));
    await stack.run(0, token, "drift");
    for (const operation of ["preview", "up"] as const)
      expect(await stack.run(0, token, operation)).not.toMatch(/Step: \((create|update|replace|delete)/);
    expect(stack.step("key-in-use").content).toBe(sshKeys[1]);
    expect(stack.step("password")).toEqual(before);
  });

  test("changes with a new password what holds it, and nothing else", async () => {
    const before = stack.step("user");
    await stack.vault.sh(shownBlock("registry-password.new"));
    await stack.run(0, token, "up");
    expect(stack.step("password").content).toBe(passwords[1]);
    expect(stack.step("user")).toEqual(before);
  });

  test("makes the policy and the role by which the pipeline of one branch deploys it, and no other", async () => {
    const audience = "https://vault.example.com";
    const claims = ["project_path=infra/regwarden", "ref_protected=true"];
    stack.configure({
      tls: "regwarden/tls",
      policy: "stack",
      ciRole: { jwt: { audiences: [audience], claims } },
    });
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    stack.vault.file("jwt.pub", String(publicKey.export({ type: "spki", format: "pem" })));
    await stack.vault.sh(
      "vault auth enable jwt && vault write auth/jwt/config jwt_validation_pubkeys=@jwt.pub",
    );
    expect(await stack.run(1, token, "up")).toMatch(/Code: 403/);
    await stack.run(0, stack.vault.rootToken, "up");

    const logIn = async (given: object) => {
      stack.vault.file("jwt", signed({ aud: audience, ...given }, privateKey));
      return await stack.tokenOf(shownBlock("auth/jwt/login"), "");
    };
    const branch = { project_path: "infra/regwarden", ref_protected: "true" };
    await expect(logIn({ ...branch, ref_protected: "false" })).rejects.toThrow(/claim "ref_protected"/);
    await expect(logIn({ ...branch, project_path: "infra/other" })).rejects.toThrow(/claim "project_path"/);
    await expect(logIn({ ...branch, aud: "https://other.example.com" })).rejects.toThrow(/audience/);
    token = await logIn(branch);
    await stack.run(0, token, "up");
  });

  test.each([
    "vault token create",
    "vault kv get -mount=secret ready",
    "vault kv list -mount=secret regwarden",
    "vault kv patch -mount=secret regwarden/account a=b",
    "vault policy write stack jwt.pub",
    "vault write auth/jwt/role/regwarden-ci role_type=jwt user_claim=sub bound_audiences=any",
  ])("gives the pipeline a token that may not: %s", async (command) => {
    await expect(stack.vault.sh(command, token)).rejects.toThrow(/permission denied/);
  });

  test("leaves no secret in state, history, configuration, what it prints, or the arguments of a process", () => {
    const oneLine = (key: string) => key.split("\n")[1] ?? "";
    const secrets = [...passwords, ...sshKeys.map(oneLine), token, stack.vault.rootToken];
    const traces = Object.entries(stack.traces());
    // What is searched holds what the runs were about.
    for (const [where, part] of [
      [/\.pulumi\/stacks\/.*prod\.json$/, "secret/data"],
      [/\.pulumi\/history\//, "ciphertext"],
      [/^what was printed$/, "password"],
      // Its launcher has gone before most looks: this is what the plugin runs as.
      [/^arguments of processes$/, "vault/plugin/main.ts"],
    ] as const)
      expect(
        traces.filter(([path, text]) => where.test(path) && text.includes(part)).length,
        `${where}: ${part}`,
      ).toBeGreaterThan(0);
    for (const secret of secrets)
      expect(traces.filter(([, text]) => text.includes(secret)).map(([where]) => where)).toEqual([]);
  });
});

/** A token as a forge signs it. */
function signed(claims: object, key: Parameters<ReturnType<typeof createSign>["sign"]>[0]): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const all = { sub: "job", iat: now - 60, nbf: now - 60, exp: now + 600, ...claims };
  const text = `${part({ alg: "RS256", typ: "JWT" })}.${part(all)}`;
  return `${text}.${createSign("RSA-SHA256").update(text).sign(key, "base64url")}`;
}
