import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { variables } from "../../contract/environment.ts";
import { urlsOf } from "../cluster/endpoints.ts";
import { hasCluster, kubeconfigFile } from "../cluster/paths.ts";
import { ensureSecret, writeAtomically } from "../machine/files.ts";
import type { Instance } from "../machine/instances.ts";
import { projectRoot, stateDirectory } from "../machine/paths.ts";
import { pulumiHome } from "../machine/tools/pulumi.ts";

/** Directory of the state of the instance's stack. */
export function stackStateDirectory(instance: Instance): string {
  return join(stateDirectory(instance), "state");
}

/** The file that holds the stack's configuration. */
export function stackFile(instance: Instance): string {
  return join(projectRoot, `Pulumi.${instance}.yaml`);
}

/** What the Pulumi engine needs in its environment. */
export function pulumiEnvironment(instance: Instance): Record<string, string> {
  return {
    PULUMI_HOME: pulumiHome(),
    // Without notes on content types: they are not written in one step, and a killed update would leave them torn.
    PULUMI_BACKEND_URL: `file://${stackStateDirectory(instance)}?metadata=skip`,
    PULUMI_CONFIG_PASSPHRASE_FILE: join(stateDirectory(instance), "passphrase"),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    KUBECONFIG: kubeconfigFile(instance),
  };
}

/** Makes what {@link pulumiEnvironment} names, and writes `environment.json` for `npm run preview` and its like. */
export function writePulumiEnvironment(instance: Instance): void {
  // A drift run of the instance pushes its metrics there.
  const pushgateway = hasCluster(instance) ? { [variables.pushgateway]: urlsOf(instance).pushgateway } : {};
  const environment = { ...pulumiEnvironment(instance), ...pushgateway };
  ensureSecret(join(stateDirectory(instance), "passphrase"));
  mkdirSync(stackStateDirectory(instance), { recursive: true });
  writeAtomically(
    join(stateDirectory(instance), "environment.json"),
    `${JSON.stringify(environment, null, 2)}\n`,
  );
}
