import * as pulumi from "@pulumi/pulumi";
import { Image } from "../../provider/resources.ts";
import type { RegistrySettings } from "./settings.ts";

/** Arguments of {@link HostImages}. */
export interface HostImagesArgs {
  readonly settings: RegistrySettings;
}

/**
 * The images that the containers are made from and the units run: there before anything needs them, as nothing on the
 * host ever pulls by itself at night.
 */
export class HostImages extends pulumi.ComponentResource {
  public readonly changes: readonly pulumi.Output<string>[];

  constructor(name: string, { settings }: HostImagesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:host:HostImages", name, {}, opts);
    const { ui, ...others } = settings.images;
    const images = Object.entries(settings.ui.enabled ? { ...others, ui } : others).map(
      ([role, reference]) => new Image(`${name}-${role}`, { reference }, { parent: this }),
    );
    this.changes = images.map(({ changedAt }) => changedAt);
    this.registerOutputs({});
  }
}
