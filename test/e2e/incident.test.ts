import { expect, test } from "vitest";
import { labEnds } from "../support/lab/expected.ts";
import { firing, holds } from "../support/lab/prometheus.ts";

const alert = "RegistryManifestIntegrityFailure";

test("the incident goes as told, from the damage to the resolved alert, and leaves a lab that is whole", async () => {
  const story = await labEnds(0, "incident", "--speed", "1800");
  expect(story).toContain("The story went as told");
  expect(story).toMatch(/tag infra-ci:latest: works\n.*pull for linux\/amd64: reading (manifest|blob)/);
  expect(story).toMatch(/probe: exit code 1\n/);
  expect(story).toContain("in-use: exit code 1: Deployment ci/ci-runner cannot start a new pod");
  expect(story).toMatch(new RegExp(`${alert} fires after \\d+ s`));
  expect(story).toContain(`${alert} is resolved`);
  await labEnds(0, "status");
  await holds("registry_manifest_integrity_failures == 0");
  await holds("absent(regwarden_in_use_broken)");
  expect(await firing()).not.toContain(alert);
});
