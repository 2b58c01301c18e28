import { describe, expect, test, vi } from "vitest";
import { planAdoption } from "../../adopt/plan/plan.ts";
import { formerFacts } from "../support/former-vm/facts.ts";
import { run } from "../support/program-stack/engine.ts";
import { HOST_KEY, WITH_CACHE_ACCOUNT } from "../support/program-stack/raw-config.ts";

// The bundle is built by another step.
vi.mock("node:fs", async (original) => {
  const { withBundles } = await import("../support/program-stack/bundles.ts");
  return withBundles(await original());
});

const { default: registryStack } = await import("../../index.ts");

const target = { address: "10.0.20.10", sshPort: 22, sshUser: "root", hostKey: HOST_KEY };
const { values } = planAdoption(formerFacts, { ...target, stack: "home", hostname: undefined });
const written = Object.fromEntries(
  Object.entries(values).map(([key, value]) => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]),
);
/** What `adopt` writes, with the secrets that it asks for. */
const config = { ...WITH_CACHE_ACCOUNT, ...written };

describe("the configuration of an adopted VM", () => {
  test("is taken by the program, which imports what was there and makes the rest", async () => {
    const { declared } = await run(registryStack, { config });
    const imported = declared
      .filter(({ importId }) => importId !== "")
      .map(({ name, importId }) => [name, importId]);
    expect(imported).toEqual([
      ["registry-directories-root", "/opt/registry"],
      ["registry-directories-tls", "/opt/registry/tls"],
      ["registry-directories-data", "/opt/registry/data"],
      ["registry-directories-data-dockerhub", "/opt/registry/data/dockerhub"],
      ["registry-directories-data-ghcr", "/opt/registry/data/ghcr"],
      ["registry-directories-data-quay", "/opt/registry/data/quay"],
      ["registry-directories-data-k8s", "/opt/registry/data/k8s"],
      ["registry-directories-data-kyverno", "/opt/registry/data/kyverno"],
      ["registry-images-registry", "registry:2.8.3"],
      ["registry-files-config-ghcr", "/opt/registry/config-ghcr.yml"],
      ["registry-files-config-quay", "/opt/registry/config-quay.yml"],
      ["registry-files-config-k8s", "/opt/registry/config-k8s.yml"],
      ["registry-files-config-kyverno", "/opt/registry/config-kyverno.yml"],
      ["registry-files-config-private", "/opt/registry/config-private.yml"],
      ["registry-files-compose", "/opt/registry/docker-compose.yml"],
      ["registry-services-compose", "registry"],
      ["registry-services-boot", "docker-compose-registry.service"],
    ]);
  });

  test("imports nothing that may hold a secret, also when it is listed by hand", async () => {
    const existing = ["file:/opt/registry/config-dockerhub.yml", "file:/opt/registry/tls/privkey.pem"];
    const { declared } = await run(registryStack, {
      config: { ...config, adopt: JSON.stringify({ existing }) },
    });
    expect(declared.filter(({ importId }) => importId !== "")).toEqual([]);
  });

  test("keeps what was there before all else, and disables the former jobs between scan and check", async () => {
    const { declared, find } = await run(registryStack, { config });
    const names = declared.map(({ name }) => name);
    expect(names.indexOf("registry-former-keep")).toBeLessThan(names.indexOf("registry-directories-root"));
    expect(names.indexOf("registry-check-scan")).toBeLessThan(names.indexOf("registry-check-former-jobs"));
    expect(names.indexOf("registry-check-former-jobs")).toBeLessThan(names.indexOf("registry-check-run"));
    const script = String(find("registry-check-former-jobs").inputs.script);
    expect(script.match(/garbage-collect -m/g)).toHaveLength(6);
    expect(script).toContain("regwarden-scan.service has not run");
  });

  test("holds new connections while all containers are made anew, and no longer", async () => {
    const { find } = await run(registryStack, { config });
    const { begin: script = "", end } = find("registry-services-compose").inputs.hold as Record<
      string,
      string
    >;
    for (const port of [5000, 5010, 5020, 5030, 5040, 5050, 8080, 5001])
      expect(script).toContain(`--syn --dport ${port} --match addrtype --dst-type LOCAL --jump DROP`);
    expect(end).toContain("--delete-chain");
    // Should the connection to the host break here, systemd ends the hold.
    expect(script.indexOf("systemd-run")).toBeLessThan(script.indexOf("--insert PREROUTING"));
  });

  test("without the section makes everything, and touches no crontab", async () => {
    const { adopt: _, ...without } = config as Record<string, string>;
    const { declared, find } = await run(registryStack, { config: without });
    expect(declared.filter(({ name, importId }) => importId !== "" || /former/.test(name))).toEqual([]);
    expect(find("registry-services-compose").inputs).not.toHaveProperty("hold");
  });
});
