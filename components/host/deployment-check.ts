import * as pulumi from "@pulumi/pulumi";
import type { JobLine } from "../../contract/adoption.ts";
import { Step } from "../../provider/resources.ts";
import { disableJobsScript } from "./render/former.ts";
import { changeRevision } from "./render/revision.ts";
import { checkDeploymentScript, scanStoreScript, seedSentinelScript } from "./render/scripts.ts";
import type { RegistrySettings } from "./settings.ts";

/** Arguments of {@link DeploymentCheck}. */
export interface DeploymentCheckArgs {
  readonly settings: RegistrySettings;
  /** Password of the registry account; a secret. */
  readonly password: pulumi.Output<string>;
  /** File on the host with the authority of the registry's certificate. */
  readonly caFile: string;
  /** Id of the private registry's data. The sentinel is pushed once into each: it stands for what must not go missing. */
  readonly dataId: pulumi.Output<string>;
  /** Lines of crontabs that the stack's own timers replace: disabled once the scan has run. */
  readonly formerJobs: readonly JobLine[];
  /** When the programs and the scan's unit were last changed: then the store is scanned whatever its last scan said. */
  readonly programs: readonly pulumi.Output<string>[];
  /** When each thing was last changed that the check is about: it runs again when one of these changes. */
  readonly changes: readonly pulumi.Output<string>[];
}

/**
 * Asks the running registry what its users will ask, and fails the update when an answer is wrong: right and wrong
 * passwords, the sentinel image down to its layers, each cache, the UI, the last scan of the store, the host's jobs.
 */
export class DeploymentCheck extends pulumi.ComponentResource {
  constructor(name: string, args: DeploymentCheckArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:host:DeploymentCheck", name, {}, opts);
    const { settings, password, caFile, formerJobs, changes } = args;
    const sentinel = new Step(
      `${name}-sentinel`,
      // For nothing but other data: pushed again, it would hide that it is gone.
      {
        action: "push the sentinel image",
        script: seedSentinelScript(settings, caFile),
        stdin: password,
        triggers: [args.dataId],
      },
      { parent: this },
    );
    const scan = new Step(
      `${name}-scan`,
      {
        action: "scan the store",
        script: scanStoreScript(),
        triggers: [args.dataId, ...args.programs],
      },
      { parent: this, dependsOn: [sentinel] },
    );
    const disabling = disableJobsScript(settings, formerJobs);
    const disabled =
      formerJobs.length === 0
        ? []
        : [
            new Step(
              `${name}-former-jobs`,
              {
                action: "disable the former jobs",
                script: disabling,
                triggers: [changeRevision([disabling])],
              },
              // Until what replaces them has run, they are the only ones; and the check would find them.
              { parent: this, dependsOn: [scan] },
            ),
          ];
    const script = checkDeploymentScript(settings, caFile);
    // One word and not each moment: a preview shows triggers, and some thirty timestamps say nothing to people.
    const revision = pulumi
      .all([...changes, sentinel.changedAt])
      .apply((all) => changeRevision([...all, script]));
    new Step(
      `${name}-run`,
      { action: "check the deployment", script, stdin: password, triggers: [revision] },
      // It pulls the sentinel, reads the scan's report, and lists the host's jobs.
      { parent: this, dependsOn: [sentinel, scan, ...disabled] },
    );
    this.registerOutputs({});
  }
}
