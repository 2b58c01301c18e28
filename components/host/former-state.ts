import * as pulumi from "@pulumi/pulumi";
import type { JobLine } from "../../contract/adoption.ts";
import { type HostAccess, hostCommand } from "./host-command.ts";
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
  readonly access: HostAccess;
  readonly former: FormerVm;
}

/** Keeps what the first update replaces, on the host, so that one command puts it back. */
export class FormerState extends pulumi.ComponentResource {
  constructor(name: string, args: FormerStateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:host:FormerState", name, {}, opts);
    const { settings, access, former } = args;
    const script = keepFormerScript(settings, former.jobs);
    hostCommand(`${name}-keep`, { access, script, update: "true" }, { parent: this });
    this.registerOutputs({});
  }
}
