import { dump } from "js-yaml";
import { describe, expect, test } from "vitest";
import { kubeconfigAccess, podAccess } from "../../../../../scripts/in-use/cluster/access.ts";

const cluster = {
  server: "https://api.example:6443/",
  "certificate-authority-data": Buffer.from("CA").toString("base64"),
};
const config = (user: object, more: object = {}) => ({
  apiVersion: "v1",
  kind: "Config",
  "current-context": "home",
  clusters: [{ name: "c", cluster: { ...cluster, ...more } }],
  users: [{ name: "u", user }],
  contexts: [
    { name: "home", context: { cluster: "c", user: "u", namespace: "x" } },
    { name: "away", context: { cluster: "gone", user: "u" } },
  ],
});

/** Files by path. */
const files = (all: Readonly<Record<string, string>>) => async (path: string) => {
  const text = all[path];
  if (text === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
  return text;
};
const access = (document: unknown, context?: string, more: Readonly<Record<string, string>> = {}) =>
  kubeconfigAccess(
    "/home/me/.kube/config",
    context,
    files({
      "/home/me/.kube/config": typeof document === "string" ? document : dump(document),
      ...more,
    }),
  );

describe("the way to an API server by a kubeconfig", () => {
  test("is its current context, with a token", async () => {
    const { server, token, agent } = await access(config({ token: "t0ken" }));
    expect([server, token, agent.options.ca]).toEqual(["https://api.example:6443", "t0ken", "CA"]);
  });

  test("takes files beside it, a client certificate, and another name of the server", async () => {
    const user = { "client-certificate": "me.pem", "client-key-data": Buffer.from("KEY").toString("base64") };
    const document = config(user, { "tls-server-name": "other.example" });
    const { agent, token } = await access(document, "home", { "/home/me/.kube/me.pem": "CERT" });
    const { cert, key, servername } = agent.options;
    expect({ cert, key, servername, token }).toEqual({
      cert: "CERT",
      key: "KEY",
      servername: "other.example",
      token: undefined,
    });
    const byFile = await access(config({ tokenFile: "/run/token" }), undefined, { "/run/token": "t0ken\n" });
    expect(byFile.token).toBe("t0ken");
  });

  test.each<[string, unknown, string | undefined, RegExp]>([
    [
      "logs in by another program",
      config({ exec: { command: "aws" } }),
      undefined,
      /program aws, which is not run.*token/,
    ],
    ["has an auth-provider", config({ "auth-provider": { name: "oidc" } }), undefined, /auth-provider/],
    [
      "has a password",
      config({ username: "me", password: "s3cret" }),
      undefined,
      /password, which no server takes/,
    ],
    [
      "verifies no server",
      config({ token: "s3cret" }, { "insecure-skip-tls-verify": true }),
      undefined,
      /does not verify/,
    ],
    [
      "goes without TLS",
      config({ token: "s3cret" }, { server: "http://api.example" }),
      undefined,
      /without TLS/,
    ],
    ["names no server", config({ token: "s3cret" }, { server: "api" }), undefined, /no address/],
    ["has no such context", config({ token: "s3cret" }), "nowhere", /no context nowhere/],
    ["has no such cluster", config({ token: "s3cret" }), "away", /no cluster gone/],
    [
      "has no current context",
      { ...config({}), "current-context": "" },
      undefined,
      /no context that is the current one/,
    ],
    [
      "misses a file",
      config({ "client-certificate": "me.pem" }),
      undefined,
      /the certificate of .* cannot be read/,
    ],
    ["is none", "token: [s3cret", undefined, /is no kubeconfig/],
    ["is a list", "- s3cret", undefined, /is no kubeconfig/],
  ])("that %s is refused", async (_what, document, context, message) => {
    const failed = access(document, context);
    await expect(failed).rejects.toMatchObject({
      code: "E_CONFIGURATION",
      message: expect.stringMatching(message),
    });
    await expect(failed).rejects.not.toThrow(/s3cret/);
  });
});

describe("the way to an API server from a pod", () => {
  const directory = "/var/run/secrets/kubernetes.io/serviceaccount";
  const mounted = files({ [`${directory}/token`]: "t0ken\n", [`${directory}/ca.crt`]: "CA" });

  test("is its service account's", async () => {
    const { server, token, agent } = await podAccess({ host: "fd00::1", port: "443" }, mounted);
    expect([server, token, agent.options.ca]).toEqual(["https://[fd00::1]:443", "t0ken", "CA"]);
  });

  test("without a token says which field of the pod is missing", async () => {
    await expect(podAccess({ host: "10.0.0.1", port: "443" }, files({}))).rejects.toThrow(
      /token cannot be read: the pod needs automountServiceAccountToken/,
    );
  });
});
