import { readFileSync } from "node:fs";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { allKeys } from "../../../config/setting.ts";
import { settingsSchema } from "../../../config/settings.ts";
import { faultsOf, type Raw } from "../../support/program-stack/faults.ts";
import {
  CACHE_PASSWORD,
  PULL_PASSWORD,
  RAW_CONFIG,
  SECRET_TEXTS,
  WITH_CACHE_ACCOUNT,
} from "../../support/program-stack/raw-config.ts";

const json = JSON.stringify;
const ghcr = { name: "ghcr", port: 5010, remoteUrl: "https://ghcr.io" };

describe("the message", () => {
  test("lists all faults at once, each with value, rule and example", async () => {
    const change: Raw = {
      private: json({ port: 70_000 }),
      caches: json([ghcr, { ...ghcr, remoteUrl: "https://me:s3cret-7421@ghcr.io" }]),
      images: json({ nginx: "nginx:alpine" }),
      registry: undefined,
      registryPassword: undefined,
      tlsPrivateKey: undefined,
      registryPasswort: "s3cret-7421",
    };
    const { text } = faultsOf(change);
    await expect(text).toMatchFileSnapshot("../../component/rendered/configuration-faults.txt");
    expect(text).not.toContain("s3cret-7421");
  });

  test("names the command that sets a missing secret", () => {
    const { text } = faultsOf({ registryPassword: undefined, tlsPrivateKey: undefined });
    expect(text).toContain("example: pulumi config set --secret regwarden:registryPassword\n");
    expect(text).toContain("example: pulumi config set --secret regwarden:tlsPrivateKey < privkey.pem");
    const cache = faultsOf({ cachePasswords: undefined }, WITH_CACHE_ACCOUNT).text;
    expect(cache).toContain("pulumi config set --secret --path regwarden:cachePasswords.dockerhub");
  });

  test("names both keys of a port that is used twice", () => {
    const { text } = faultsOf({ metrics: json({ port: 5050 }) });
    expect(text).toContain("regwarden:metrics.port");
    expect(text).toContain("regwarden:private.port has the same");
  });

  test("never holds a secret, whatever is wrong", () => {
    const keys = Object.keys(WITH_CACHE_ACCOUNT);
    for (const key of keys) {
      const misspelt = { [key]: undefined, [`${key}x`]: WITH_CACHE_ACCOUNT[key] };
      const broken = { [key]: `${WITH_CACHE_ACCOUNT[key]}:\n"` };
      for (const change of [misspelt, broken]) {
        const { text } = faultsOf(change, WITH_CACHE_ACCOUNT);
        for (const secret of SECRET_TEXTS) expect(text).not.toContain(secret);
      }
    }
  });
});

describe("Pulumi.example.yaml", () => {
  const path = new URL("../../../Pulumi.example.yaml", import.meta.url);
  const { config } = load(readFileSync(path, "utf8")) as { config: Record<string, unknown> };
  const raw = Object.entries(config).map(([key, value]) => [
    key.replace("regwarden:", ""),
    typeof value === "string" ? value : json(value),
  ]);

  test("passes the schema, once the secrets are there", () => {
    const secrets = { ...RAW_CONFIG, ...Object.fromEntries(raw) };
    const own = {
      cachePasswords: json({ dockerhub: CACHE_PASSWORD }),
      pullPassword: PULL_PASSWORD,
      // The example names where the host has them.
      tlsCertificate: undefined,
      tlsPrivateKey: undefined,
    };
    expect(faultsOf(own, secrets)).toEqual({
      keys: [],
      text: "",
    });
  });

  test("has every key that there is", () => {
    const keysOf = (value: unknown, prefix: string): string[] => {
      if (Array.isArray(value)) return [prefix, ...value.flatMap((item) => keysOf(item, `${prefix}[]`))];
      if (value === null || typeof value !== "object") return [prefix];
      return [prefix, ...Object.entries(value).flatMap(([key, inner]) => keysOf(inner, `${prefix}.${key}`))];
    };
    const present = new Set(
      Object.entries(config).flatMap(([key, value]) => keysOf(value, key.replace("regwarden:", ""))),
    );
    expect([...present].sort()).toEqual(allKeys(settingsSchema).sort());
  });
});
