import { expect, test } from "vitest";
import { pulumiEnvironment } from "../../../../lab/stack/environment.ts";

test("the engine's environment names a passphrase file and never a passphrase", () => {
  const environment = pulumiEnvironment("e2e");
  expect(Object.keys(environment).sort()).toEqual([
    "KUBECONFIG",
    "PULUMI_BACKEND_URL",
    "PULUMI_CONFIG_PASSPHRASE_FILE",
    "PULUMI_HOME",
    "PULUMI_SKIP_UPDATE_CHECK",
  ]);
  expect(environment.PULUMI_BACKEND_URL).toMatch(/^file:\/\/.*\/\.lab\/e2e\/state\?metadata=skip$/);
});
