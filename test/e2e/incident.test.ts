import { expect, test } from "vitest";
import { labEnds } from "../support/lab/expected.ts";
import { firing, holds } from "../support/lab/prometheus.ts";

const alert = "RegistryManifestIntegrityFailure";

test("every step of the incident has the expected result, from the damage to the resolved alert, and leaves a lab that is up", async () => {
  const output = await labEnds(0, "incident", "--speed", "1800");
  expect(output).toContain("Every step had the expected result");
  expect(output).toMatch(/tag infra-ci:latest: works\n.*pull for linux\/amd64: reading (manifest|blob)/);
  expect(output).toMatch(/probe: exit code 1\n/);
  expect(output).toContain("in-use: exit code 1: Deployment ci/ci-runner cannot start a new pod");
  expect(output).toMatch(new RegExp(`${alert} fires after \\d+ s`));
  expect(output).toContain(`${alert} is resolved`);
  await labEnds(0, "status");
  await holds("registry_manifest_integrity_failures == 0");
  await holds("absent(regwarden_in_use_broken)");
  expect(await firing()).not.toContain(alert);
});
