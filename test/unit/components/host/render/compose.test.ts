import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import {
  composeServices,
  composeText,
  type MountedFiles,
  serviceContainers,
} from "../../../../../components/host/render/compose.ts";
import { nginxConfig } from "../../../../../components/host/render/nginx-config.ts";
import type { RegistrySettings } from "../../../../../components/host/settings.ts";
import { SETTINGS } from "../../../../support/program-stack/settings.ts";

const MOUNTED: MountedFiles = {
  registryConfigs: { dockerhub: "a", ghcr: "b", private: "c" },
};

interface Service {
  readonly ports?: readonly string[];
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly volumes?: readonly { readonly type: string; readonly source?: string; readonly bind?: object }[];
  readonly stop_grace_period?: string;
  readonly stop_signal?: string;
  readonly mem_limit: string;
  readonly pids_limit: number;
  readonly environment?: Readonly<Record<string, string>>;
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
    expect(mounts.length).toBe(12);
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

  test("mounts what nginx and the private registry read again while they run by its directory, where a new file is seen", () => {
    const sources = (name: string) => services[name]?.volumes?.map(({ source }) => source);
    expect(sources("nginx")).toEqual(expect.arrayContaining(["/opt/registry/nginx", "/opt/registry/tls"]));
    expect(sources("registry-private")).toContain("/opt/registry/auth");
  });

  test("gives transfers more time to end than the registries take to drain", () => {
    for (const name of ["nginx", "registry-private"]) expect(services[name]?.stop_grace_period).toBe("70s");
    expect(services.nginx?.stop_signal).toBe("SIGQUIT");
    expect(nginxConfig(SETTINGS)).toContain("worker_shutdown_timeout 1h;");
  });

  test("bounds the memory and the processes of every container", () => {
    const bounds = Object.values(services).map(({ mem_limit, pids_limit }) => `${mem_limit} ${pids_limit}`);
    expect(bounds).toEqual(["1g 1024", "1g 1024", "1g 1024", "512m 1024", "128m 128"]);
  });

  test("lets the caches out by a proxy where one is named, and the private registry, which fetches nothing, not", () => {
    const outboundProxy = { url: "http://proxy.lan:3128", noProxy: [".lan"] };
    const out = load(composeText(composeServices({ ...SETTINGS, outboundProxy }, MOUNTED))) as {
      services: Record<string, Service>;
    };
    expect(out.services["registry-ghcr"]?.environment).toMatchObject({
      HTTPS_PROXY: "http://proxy.lan:3128",
      https_proxy: "http://proxy.lan:3128",
      NO_PROXY: "127.0.0.1,localhost,.lan",
    });
    expect(out.services["registry-private"]).not.toHaveProperty("environment");
    expect(services["registry-ghcr"]).not.toHaveProperty("environment");
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
