import { afterAll, expect, test } from "vitest";
import { labEnds } from "../support/lab/expected.ts";
import { removeDanglingLinks } from "../support/lab/private-registry.ts";
import { firing, holds } from "../support/lab/prometheus.ts";

// The incident is one: its collection takes the layers of earlier lists of the images in use.
afterAll(removeDanglingLinks);

const alert = "RegistryManifestIntegrityFailure";

test("every step of the tour has the expected result: drift, a comment, the incident from the damage to the resolved alert, and a maintenance that loses nothing; and it leaves a lab that is up", async () => {
  const output = await labEnds(0, "tour", "--speed", "1800");
  expect(output.match(/Every step had the expected result/g)).toHaveLength(2);
  expect(output).toMatch(/drift: exit code 7\n(?:.*\n)?.*registry-quay/);
  expect(output).toMatch(/the comment:\n.*resource.* change/);
  expect(output).toMatch(/tag infra-ci:latest: works\n.*pull for linux\/amd64: reading (manifest|blob)/);
  expect(output).toMatch(/probe: exit code 1\n/);
  expect(output).toContain("in-use: exit code 1: Deployment ci/ci-runner cannot start a new pod");
  expect(output).toMatch(new RegExp(`${alert} fires after \\d+ s`));
  expect(output).toContain(`${alert} is resolved`);
  expect(output).toContain("retain: 6 tags removed");
  expect(output).toMatch(/gc: [1-9]\d* links and [1-9]\d* blobs moved into the quarantine, [1-9]\d* kB/);
  expect(output).toMatch(/writes held for [0-4]\.\d+ s/);
  expect(output).toMatch(/proof: \d+ tags complete before and after, 0 lost/);
  expect(output).toMatch(/pushes meanwhile: [1-9]\d*, failed: 0\n/);
  expect(output).toMatch(/pulls meanwhile: [1-9]\d*, failed: 0\n/);
  expect(output).toContain("tags that stay: 18 of 18 pulled with all platforms");
  expect(output).toMatch(/files are as before by path, size and sha256, .*; different: 0\n/);
  expect(output).toContain("tags that had been dropped: 6 of 6 pulled with all platforms");
  await labEnds(0, "status");
  await holds("registry_manifest_integrity_failures == 0");
  await holds("absent(regwarden_in_use_broken)");
  expect(await firing()).not.toContain(alert);
});
