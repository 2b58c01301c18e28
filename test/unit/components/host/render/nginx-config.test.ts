import { describe, expect, test } from "vitest";
import { nginxConfig, publishedPorts } from "../../../../../components/host/render/nginx-config.ts";
import { SETTINGS } from "../../../../support/program-stack/settings.ts";

/** The text of each `server` block, by its port. */
function servers(text: string): Map<string, string> {
  const blocks = text.split(/^ {2}server \{$/m).slice(1);
  return new Map(blocks.map((block) => [block.match(/listen (\d+)/)?.[1] ?? "", block]));
}

describe("nginx.conf", () => {
  const text = nginxConfig(SETTINGS);
  const byPort = servers(text);

  test("reads as expected", async () => {
    await expect(text).toMatchFileSnapshot("../../../../component/rendered/nginx.conf");
  });

  test("listens on every port that is published, and on no other", () => {
    expect([...byPort.keys()]).toEqual(publishedPorts(SETTINGS).map(String));
  });

  test("names no backend in proxy_pass, so that a recreated container is found again", () => {
    const targets = [...text.matchAll(/proxy_pass (\S+);/g)].map(([, target]) => target);
    expect(targets.length).toBeGreaterThan(0);
    for (const target of targets) expect(target).toMatch(/^http:\/\/\$(backend|ui):\d+/);
    expect(text).toContain("resolver 127.0.0.11 valid=10s ipv6=off;");
  });

  test("speaks TLS where passwords are sent, with no old version of it", () => {
    for (const [port, block] of byPort) {
      expect(block.includes("ssl_protocols TLSv1.2 TLSv1.3;")).toBe(["5050", "8080"].includes(port));
    }
  });

  test("keeps no blob of the private registry", () => {
    expect(byPort.get("5050")).not.toContain("proxy_cache");
    expect(byPort.get("5000")).toContain("proxy_cache registry;");
  });

  test("shows the UI to those only who may read the private registry, and lets no client write through it", () => {
    const ui = byPort.get("8080");
    expect(ui).toMatch(/location \/ \{\s+auth_request \/authenticate;/);
    expect(ui).toMatch(/location \/v2\/ \{\s+limit_except GET \{\s+deny all;/);
    expect(ui).toContain("set $backend registry-private;");
  });

  test("has metrics of every registry, and those of dockerhub under the old path too", () => {
    const metrics = byPort.get("5001");
    for (const path of [
      "/metrics",
      "/metrics/dockerhub",
      "/metrics/ghcr",
      "/metrics/private",
      "/nginx_status",
    ]) {
      expect(metrics).toContain(`location = ${path} {`);
    }
  });

  test("has neither cache zone nor the old metrics path where there are no caches", () => {
    const alone = nginxConfig({ ...SETTINGS, caches: [] });
    expect(alone).not.toContain("proxy_cache");
    expect(alone).not.toContain("location = /metrics {");
  });

  test("keeps of the caches' blobs what is asked for, and less where the disk is nearly full", () => {
    expect(text).toContain("max_size=1g min_free=2g;");
    const larger = nginxConfig({ ...SETTINGS, blobCache: { size: "20Gi", minFree: "512Mi" } });
    expect(larger).toContain("max_size=20g min_free=512m;");
  });

  test("lets the networks of a cache pull from it, and no other address, its blobs included", () => {
    const [dockerhub, ...others] = SETTINGS.caches;
    if (dockerhub === undefined) throw new Error("no cache");
    const caches = [{ ...dockerhub, allowFrom: ["10.0.0.0/8", "192.168.0.0/16"] }, ...others];
    const limited = servers(nginxConfig({ ...SETTINGS, caches }));
    const rules = /allow 10\.0\.0\.0\/8;\s+allow 192\.168\.0\.0\/16;\s+deny all;/g;
    expect(limited.get("5000")?.match(rules)).toHaveLength(2);
    expect(limited.get("5010")).not.toContain("deny");
  });

  test("has no UI listener where none is wanted", () => {
    expect(nginxConfig({ ...SETTINGS, ui: { ...SETTINGS.ui, enabled: false } })).not.toContain("8080");
  });
});
