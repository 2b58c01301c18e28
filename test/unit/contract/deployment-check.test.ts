import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkConfig } from "../../../components/host/render/check-config.ts";
import type { RegistrySettings } from "../../../components/host/settings.ts";
import { sentinelReference } from "../../../contract/registries.ts";
import { readDeploymentConfig } from "../../../scripts/deployment/config.ts";
import { temporaryDirectory } from "../../support/program.ts";
import { SETTINGS } from "../../support/program-stack/settings.ts";

async function parsed(settings: RegistrySettings) {
  const path = join(await temporaryDirectory(), "check-deployment.json");
  await writeFile(path, checkConfig(settings, "builder"));
  return readDeploymentConfig(path);
}

describe("the deployment check's configuration that the host gets", () => {
  test("is what the check reads", async () => {
    expect(await parsed(SETTINGS)).toEqual({
      private: { url: "https://registry.example.com:5050", user: "builder", sentinel: sentinelReference },
      caches: [
        { name: "dockerhub", url: "http://127.0.0.1:5000" },
        { name: "ghcr", url: "http://127.0.0.1:5010" },
      ],
      scanReport: { path: "/report/scan.json", maximumAgeSeconds: 93_600 },
      jobs: "/jobs",
      ui: { url: "https://registry.example.com:8080" },
    });
  });

  test.each<[string, Partial<RegistrySettings>]>([
    ["without a user interface", { ui: { ...SETTINGS.ui, enabled: false } }],
    ["without caches", { caches: [] }],
    ["on one address only", { listenAddress: "10.0.20.10" }],
    ["on the default port of https", { private: { port: 443 }, ui: { ...SETTINGS.ui, port: 444 } }],
  ])("can be read %s", async (_, change) => {
    const { caches, ui } = await parsed({ ...SETTINGS, ...change });
    expect(caches).toHaveLength(change.caches?.length ?? SETTINGS.caches.length);
    expect(ui !== undefined).toBe(change.ui?.enabled ?? true);
  });
});
