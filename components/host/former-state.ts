import * as pulumi from "@pulumi/pulumi";
import type { JobLine } from "../../contract/adoption.ts";
import { Step } from "../../provider/resources.ts";
import { keepFormerScript } from "./render/former.ts";
import type { RegistrySettings } from "./settings.ts";

/** What a host had before the stack. */
export interface FormerVm {
  /** Lines of crontabs that remove what tags need. */
  readonly jobs: readonly JobLine[];
}

/** Arguments of {@link FormerState}. */
export interface FormerStateArgs {
  readonly settings: RegistrySettings;
  readonly former: FormerVm;
}

/** Keeps what the first update replaces, on the host, so that one command puts it back. */
export class FormerState extends pulumi.ComponentResource {
  constructor(name: string, args: FormerStateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:host:FormerState", name, {}, opts);
    const { settings, former } = args;
    const script = keepFormerScript(settings, former.jobs);
    new Step(`${name}-keep`, { action: "keep what the first update replaces", script }, { parent: this });
    this.registerOutputs({});
  }
}
