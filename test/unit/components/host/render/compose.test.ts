import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import {
  composeServices,
  composeText,
  type MountedFiles,
  serviceContainers,
} from "../../../../../components/host/render/compose.ts";
import type { RegistrySettings } from "../../../../../components/host/settings.ts";
import { SETTINGS } from "../../../../support/program-stack/settings.ts";

const MOUNTED: MountedFiles = {
  registryConfigs: { dockerhub: "a", ghcr: "b", private: "c" },
  nginxConfig: "d",
  tls: "e",
};

interface Service {
  readonly ports?: readonly string[];
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly volumes?: readonly { readonly type: string; readonly bind?: object }[];
  readonly healthcheck: { readonly test: readonly string[] };
}

/** Names of the services whose revision label differs. */
function changed(settings: RegistrySettings, mounted: MountedFiles): string[] {
  const before = composeServices(SETTINGS, MOUNTED);
  const after = composeServices(settings, mounted);
  return Object.keys(after).filter(
    (name) => before[name]?.labels["regwarden.revision"] !== after[name]?.labels["regwarden.revision"],
  );
}

describe("the compose file", () => {
  const text = composeText(composeServices(SETTINGS, MOUNTED));
  const { services } = load(text) as { services: Record<string, Service> };

  test("reads as expected", async () => {
    await expect(text).toMatchFileSnapshot("../../../../component/rendered/docker-compose.yml");
  });

  test("says the same each time", () => {
    expect(composeText(composeServices(SETTINGS, MOUNTED))).toBe(text);
  });

  test("publishes ports of nginx only, every one of them on the listen address", () => {
    const published = Object.entries(services).filter(([, service]) => "ports" in service);
    expect(published.map(([name]) => name)).toEqual(["nginx"]);
    const ports = ["0.0.0.0:5000:5000", "0.0.0.0:5010:5010", "0.0.0.0:5050:5050", "0.0.0.0:8080:8080"];
    expect(services.nginx?.ports).toEqual([...ports, "0.0.0.0:5001:5001"]);
  });

  test("takes all capabilities from every service, and lets none gain any", () => {
    for (const service of Object.values(services)) {
      expect(service.cap_drop).toEqual(["ALL"]);
      expect(service.security_opt).toEqual(["no-new-privileges:true"]);
    }
  });

  test("mounts files that must be there, and never makes a directory in their place", () => {
    const mounts = Object.values(services)
      .flatMap(({ volumes = [] }) => volumes)
      .filter(({ type }) => type === "bind");
    expect(mounts.length).toBe(10);
    for (const mount of mounts) expect(mount.bind).toEqual({ create_host_path: false });
  });

  test("calls the private registry healthy only when it asks for a password", () => {
    expect(services["registry-private"]?.healthcheck.test[1]).toContain("grep -q '401 Unauthorized'");
    expect(services["registry-ghcr"]?.healthcheck.test[0]).toBe("CMD");
  });

  test("has a container for each service, known without a secret", () => {
    const containers = serviceContainers(SETTINGS);
    expect(Object.keys(containers)).toEqual(Object.keys(services));
    expect(containers["registry-private"]).toEqual({
      container: "registry-private",
      image: "registry:2.8.3",
    });
  });

  test("has no UI where none is wanted", () => {
    const settings = { ...SETTINGS, ui: { ...SETTINGS.ui, enabled: false } };
    expect(Object.keys(composeServices(settings, MOUNTED))).not.toContain("ui");
  });
});

describe("the revision label", () => {
  test.each<[string, Partial<MountedFiles>, string[]]>([
    [
      "the configuration of one registry",
      { registryConfigs: { ...MOUNTED.registryConfigs, ghcr: "x" } },
      ["registry-ghcr"],
    ],
    ["nginx.conf", { nginxConfig: "x" }, ["nginx"]],
    ["the certificate", { tls: "x" }, ["nginx"]],
  ])("changes with %s for no other service", (_, part, services) => {
    expect(changed(SETTINGS, { ...MOUNTED, ...part })).toEqual(services);
  });

  test.each<[string, Partial<RegistrySettings>, string[]]>([
    ["the UI's title", { ui: { ...SETTINGS.ui, title: "Images" } }, ["ui"]],
    ["a published port", { metrics: { port: 5002 } }, ["nginx"]],
    ["nginx's image", { images: { ...SETTINGS.images, nginx: "nginx:1.28.1-alpine" } }, ["nginx"]],
    ["the time of the scan", { scan: { onCalendar: "daily" } }, []],
    ["the image of the programs", { images: { ...SETTINGS.images, node: "node:24.22.0-bookworm-slim" } }, []],
  ])("changes with %s for those whose definition it is in", (_, part, services) => {
    expect(changed({ ...SETTINGS, ...part }, MOUNTED)).toEqual(services);
  });
});
