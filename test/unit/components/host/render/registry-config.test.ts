import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { cacheConfig, privateConfig } from "../../../../../components/host/render/registry-config.ts";

const DOCKERHUB = {
  name: "dockerhub",
  port: 5000,
  remoteUrl: "https://registry-1.docker.io",
  username: "mirror",
};
interface RegistryConfig {
  readonly auth: { readonly htpasswd: { readonly path: string } };
  readonly storage: { readonly filesystem: object; readonly cache?: object };
  readonly proxy?: object;
  readonly http: { readonly debug: object };
  readonly health: { readonly storagedriver: { readonly enabled: boolean } };
}

const parsed = (text: string) => load(text) as RegistryConfig;
const GHCR = { name: "ghcr", port: 5010, remoteUrl: "https://ghcr.io" };

describe("a registry's configuration", () => {
  test.each([
    ["config-private.yml", privateConfig()],
    ["config-dockerhub.yml", cacheConfig(DOCKERHUB, "a: password # with 'signs'")],
    ["config-ghcr.yml", cacheConfig(GHCR)],
  ])("reads as expected: %s", async (file, text) => {
    await expect(text).toMatchFileSnapshot(`../../../../component/rendered/${file}`);
  });

  test("asks for a password on the private registry only", () => {
    expect(parsed(privateConfig()).auth.htpasswd.path).toBe("/auth/htpasswd");
    expect(parsed(cacheConfig(GHCR))).not.toHaveProperty("auth");
  });

  test("keeps no sizes of blobs in memory on the private registry, which would go on answering for deleted ones", () => {
    expect(parsed(privateConfig()).storage).not.toHaveProperty("cache");
    expect(parsed(cacheConfig(GHCR)).storage.cache).toEqual({ blobdescriptor: "inmemory" });
  });

  test("holds the remote account exactly as given, or none", () => {
    const { proxy } = parsed(cacheConfig(DOCKERHUB, "a: password # with 'signs'"));
    expect(proxy).toEqual({
      remoteurl: "https://registry-1.docker.io",
      username: "mirror",
      password: "a: password # with 'signs'",
    });
    expect(parsed(cacheConfig(GHCR)).proxy).toEqual({ remoteurl: "https://ghcr.io" });
  });

  test("holds no key that 2.8.3 would silently ignore", () => {
    for (const config of [parsed(privateConfig()), parsed(cacheConfig(GHCR))]) {
      expect(Object.keys(config.storage.filesystem)).toEqual(["rootdirectory"]);
      expect(config.proxy ?? {}).not.toHaveProperty("ttl");
    }
  });

  test("has metrics and a storage check in every registry", () => {
    for (const config of [parsed(privateConfig()), parsed(cacheConfig(GHCR))]) {
      expect(config.http.debug).toEqual({ addr: ":5001", prometheus: { enabled: true, path: "/metrics" } });
      expect(config.health.storagedriver.enabled).toBe(true);
    }
  });
});
