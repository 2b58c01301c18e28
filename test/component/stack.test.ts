import { beforeAll, describe, expect, test, vi } from "vitest";
import { changeRevision } from "../../components/host/render/revision.ts";
import {
  COMPUTED,
  type Declared,
  isSecret,
  isUnknown,
  plain,
  type Run,
  run,
  visibleText,
} from "../support/program-stack/engine.ts";
import { SECRET_TEXTS } from "../support/program-stack/raw-config.ts";
import { CONFIG, revisions } from "../support/program-stack/stack.ts";

// The bundle is built by another step.
vi.mock("node:fs", async (original) => {
  const { withBundles } = await import("../support/program-stack/bundles.ts");
  return withBundles(await original());
});

const { default: registryStack } = await import("../../index.ts");

const FILE = "host:index:File";
const STEP = "host:index:Step";
function position(stack: Run<unknown>, name: string): number {
  return stack.declared.indexOf(stack.find(name));
}

describe.each([
  ["update", false],
  ["preview", true],
])("the stack, in an %s", (_, preview) => {
  let stack: Run<unknown>;
  beforeAll(async () => {
    stack = await run(registryStack, { config: CONFIG, preview });
  });

  test("outputs the addresses", () => {
    expect(stack.result).toEqual({
      registryUrl: "https://registry.example.com:5050",
      uiUrl: "https://registry.example.com:8080",
      cacheUrls: { dockerhub: "http://10.0.20.10:5000", ghcr: "http://10.0.20.10:5010" },
    });
  });

  test("declares these resources", async () => {
    const lines = stack.declared.map(({ type, name }) => `${type} ${name}`).sort();
    await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot("rendered/resources.txt");
  });

  test("shows no secret outside a secret", () => {
    const text = visibleText(stack.declared);
    for (const secret of SECRET_TEXTS) expect(text).not.toContain(secret);
  });

  test("puts everything of the host provider on the one provider", () => {
    const onHost = stack.declared.filter(({ type }) => type.startsWith("host:index:"));
    expect(onHost.length).toBeGreaterThan(20);
    for (const { provider } of onHost) expect(provider).toMatch(/pulumi:providers:host::host::/);
  });

  test("keeps the compose file readable", () => {
    const { content } = stack.find("registry-files-compose", FILE).inputs;
    expect(isSecret(content)).toBe(false);
    expect(isUnknown(content)).toBe(false);
  });

  test.each(["registry-files-tls-private-key", "registry-files-config-dockerhub"])(
    "hides and guards %s",
    (name) => {
      const { content, mode } = stack.find(name, FILE).inputs;
      expect(isSecret(content)).toBe(true);
      expect(mode).toBe("0600");
    },
  );

  test("leaves a configuration without password readable", () => {
    expect(stack.find("registry-files-config-ghcr", FILE).inputs).toMatchObject({
      mode: "0644",
      content: expect.stringContaining("remoteurl: https://ghcr.io"),
    });
  });

  test("runs each step on the host with secrets on standard input only", () => {
    const steps = stack.declared.filter(({ type }) => type === STEP);
    expect(steps.map(({ name }) => name).sort()).toEqual([
      "dns-backup",
      "dns-forget",
      "dns-restart",
      "registry-check-run",
      "registry-check-scan",
      "registry-check-sentinel",
      "registry-services-nginx-reload",
    ]);
    for (const { name, inputs } of steps) {
      expect(isSecret(inputs.stdin)).toBe(["registry-check-run", "registry-check-sentinel"].includes(name));
    }
  });
});

describe("the order", () => {
  let stack: Run<unknown>;
  beforeAll(async () => {
    stack = await run(registryStack, { config: CONFIG });
  });

  test.each([
    ["dns-command", "dns-backup"],
    ["dns-backup", "dns-directory"],
    ["dns-forget", "dns-servers"],
    ["dns-restart", "registry-services-compose"],
    ["registry-directories-data-private", "registry-directories-root"],
    ["registry-directories-root", "registry-directories-tls"],
    ["registry-images-nginx", "registry-files-nginx"],
    ["registry-images-node", "registry-scan-service"],
    ["registry-directories-tls", "registry-files-tls-certificate"],
    ["registry-directories-data-private", "registry-services-compose"],
    ["registry-files-tls-private-key", "registry-files-nginx"],
    ["registry-files-compose", "registry-services-compose"],
    ["registry-files-nginx", "registry-services-compose"],
    ["registry-files-config-dockerhub", "registry-services-compose"],
    ["registry-services-compose", "registry-services-boot"],
    ["registry-services-boot", "registry-services-nginx-reload"],
    ["registry-scan-service", "registry-scan-timer"],
    ["registry-programs-bundle", "registry-scan-service"],
    ["registry-services-nginx-reload", "registry-check-sentinel"],
    ["registry-scan-timer", "registry-check-sentinel"],
    ["registry-check-sentinel", "registry-check-run"],
    ["registry-check-scan", "registry-check-run"],
  ])("is %s, then %s", (first, second) => {
    expect(position(stack, first)).toBeLessThan(position(stack, second));
  });

  // Both may be made at once otherwise, and systemd refuses a unit whose command is not there.
  test("is the program of a unit, then the unit", async () => {
    expect(stack.dependencies.get("registry-access-log-service")).toContain("registry-access-log-script");
    const tls = { certificate: "/etc/tls/fullchain.pem", privateKey: "/etc/tls/privkey.pem" };
    const { tlsCertificate: _, tlsPrivateKey: __, ...config } = CONFIG;
    const host = JSON.stringify({ ...JSON.parse(CONFIG.host ?? ""), tls });
    const { dependencies } = await run(registryStack, { config: { ...config, host } });
    const certificate = dependencies.get("registry-files-tls-on-host-service");
    expect(certificate).toContain("registry-files-tls-on-host-script");
  });

  test("reloads nginx when a registry was recreated or one of its own files was written, and for nothing else", () => {
    const { triggers } = stack.find("registry-services-nginx-reload").inputs;
    const { bounce } = COMPUTED["host:index:ComposeProject"] ?? {};
    const { writtenAt } = COMPUTED[FILE] ?? {};
    expect(triggers).toEqual([bounce, writtenAt, writtenAt, writtenAt, writtenAt]);
  });

  test("pushes the sentinel once for one data directory, whatever changes at it", async () => {
    const { triggers } = stack.find("registry-check-sentinel").inputs;
    const outputs = { "registry-directories-data-private": { changedAt: "2026-11-22T00:00:00Z" } };
    const after = await run(registryStack, { config: CONFIG, outputs });
    expect(triggers).toEqual([COMPUTED["host:index:Directory"]?.dataId]);
    expect(after.find("registry-check-sentinel").inputs.triggers).toEqual(triggers);
  });

  test("checks again whenever anything changed, and only then", async () => {
    const notAsked = ["registry-check-scan", "registry-check-run"];
    const ofHost = stack.declared.filter(
      ({ type, name }) =>
        type.startsWith("host:index:") && name.startsWith("registry-") && !notAsked.includes(name),
    );
    const changes = ofHost.map(({ type }) => COMPUTED[type]?.changedAt ?? "");
    const { script, triggers } = stack.find("registry-check-run").inputs;
    expect(triggers).toEqual([changeRevision([...changes, String(script)])]);
  });

  test.each([
    ["registry-files-nginx", { changedAt: "2026-11-22T00:00:00Z" }],
    ["registry-services-compose", { changedAt: "2026-11-22T00:00:00Z" }],
    ["registry-scan-timer", { changedAt: "2026-11-22T00:00:00Z" }],
    ["registry-services-nginx-reload", { changedAt: "2026-11-22T00:00:00Z" }],
  ])("checks again when %s changed", async (name, outputs) => {
    const { triggers } = stack.find("registry-check-run").inputs;
    const after = await run(registryStack, { config: CONFIG, outputs: { [name]: outputs } });
    expect(after.find("registry-check-run").inputs.triggers).not.toEqual(triggers);
  });

  test.each([
    ["registry-programs-bundle", true],
    ["registry-scan-service", true],
    ["registry-directories-data-private", false],
    ["registry-files-nginx", false],
    ["registry-services-compose", false],
    ["registry-scan-timer", false],
  ])("scans the store anew when %s changed: %s", async (name, scans) => {
    const triggersOf = (one: Run<unknown>) => one.find("registry-check-scan").inputs.triggers;
    const outputs = { [name]: { changedAt: "2026-11-22T00:00:00Z" } };
    const after = await run(registryStack, { config: CONFIG, outputs });
    expect(JSON.stringify(triggersOf(after)) !== JSON.stringify(triggersOf(stack))).toBe(scans);
  });

  test("scans the store anew when the private registry has other data", async () => {
    const outputs = { "registry-directories-data-private": { dataId: "9c2e" } };
    const after = await run(registryStack, { config: CONFIG, outputs });
    expect(after.find("registry-check-scan").inputs.triggers).toContain("9c2e");
  });

  test("does not check again when nothing changed", async () => {
    const { triggers } = stack.find("registry-check-run").inputs;
    const again = await run(registryStack, { config: CONFIG });
    expect(again.find("registry-check-run").inputs.triggers).toEqual(triggers);
  });

  test("leaves open in a preview what the check will have to run for", async () => {
    const preview = await run(registryStack, { config: CONFIG, preview: true });
    const [trigger] = preview.find("registry-check-run").inputs.triggers as unknown[];
    expect(isUnknown(trigger)).toBe(true);
  });
});

describe("the resources", () => {
  let stack: Run<unknown>;
  const inputs = (name: string, type?: string): Declared["inputs"] => stack.find(name, type).inputs;
  beforeAll(async () => {
    stack = await run(registryStack, { config: CONFIG });
  });

  test("validate nginx.conf and the compose file before they replace the old ones", () => {
    expect(inputs("registry-files-nginx").validate).toContain("nginx:1.28.0-alpine nginx -t");
    expect(inputs("registry-files-compose").validate).toBe("docker compose --file {} config --quiet");
  });

  test("keep a copy of every file that is replaced", () => {
    const files = stack.declared.filter(
      ({ type, name }) => type === FILE && name.startsWith("registry-files"),
    );
    for (const file of files) expect(file.inputs.backupDirectory).toBe("/var/backups/regwarden");
    expect(inputs("registry-directories-backups")).toMatchObject({
      path: "/var/backups/regwarden",
      mode: "0700",
    });
  });

  test("expect every service with the revision that its label has", () => {
    const { services, dependents, project } = inputs("registry-services-compose");
    const expected = Object.entries(services as Record<string, { revision: string }>);
    expect(Object.fromEntries(expected.map(([name, { revision }]) => [name, revision]))).toEqual(
      revisions(stack),
    );
    expect(dependents).toEqual(["nginx", "ui"]);
    expect(project).toBe("registry");
  });

  test("start the containers at boot and the scan daily", () => {
    expect(inputs("registry-services-boot")).toMatchObject({
      enabled: true,
      active: true,
      restartOnChange: false,
    });
    expect(inputs("registry-scan-timer")).toMatchObject({
      enabled: true,
      active: true,
      restartOnChange: true,
    });
    expect(inputs("registry-scan-service")).not.toHaveProperty("active");
    expect(inputs("registry-scan-service")).not.toHaveProperty("enabled");
  });

  test("give the report directory to the account that the scan runs as", () => {
    expect(inputs("registry-directories-reports")).toMatchObject({
      path: "/var/lib/regwarden",
      owner: "65532",
    });
  });

  test("compare the bundle by its digest", () => {
    expect(inputs("registry-programs-bundle")).toMatchObject({ source: "dist/regwarden.mjs", mode: "0755" });
    expect(inputs("registry-programs-bundle").sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  test("that are declared are known to the check of what is not: every path, unit and port", () => {
    const { paths, units, ports, directories, allow } = inputs("unmanaged-things") as {
      paths: string[];
      units: { declared: string[] };
      ports: number[];
      directories: string[];
      allow: string[];
    };
    const own = (key: string, ...types: string[]) =>
      stack.declared
        .filter(({ type }) => types.includes(type))
        .map((each) => (plain(each.inputs) as Record<string, unknown>)[key])
        .sort();
    expect(paths).toEqual(
      expect.arrayContaining(own("path", FILE, "host:index:Htpasswd", "host:index:Directory")),
    );
    expect([...units.declared].sort()).toEqual(own("name", "host:index:SystemdUnit"));
    expect(ports).toEqual(expect.arrayContaining([22, 5050, 5000, 5010, 5001, 8080]));
    expect(directories).toEqual([
      ...["", "/nginx", "/auth", "/tls", "/programs", "/data"].map((path) => `/opt/registry${path}`),
      "/etc/systemd/resolved.conf.d",
    ]);
    expect(allow).toEqual([]);
  });

  test("name every DNS server", () => {
    expect(inputs("dns-servers").content).toContain("DNS=10.0.20.1 94.140.14.14\n");
    expect(inputs("dns-restart")).toMatchObject({
      triggers: ["2026-11-21T00:00:02Z"],
      script: expect.stringContaining("resolvectl query --legend=no registry.example.com"),
    });
    expect(inputs("dns-forget")).toMatchObject({
      script: ":",
      removal: expect.stringContaining("try-restart systemd-resolved"),
    });
  });
});
