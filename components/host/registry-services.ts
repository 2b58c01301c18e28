import * as pulumi from "@pulumi/pulumi";
import { composeProject, revisionLabel, units } from "../../contract/host-names.ts";
import { backupDirectory, hostPaths } from "../../contract/host-paths.ts";
import { ComposeProject, type ComposeServiceArgs, Step, SystemdUnit } from "../../provider/resources.ts";
import { privateData } from "./host-directories.ts";
import { type ComposeService, NGINX_SERVICE, serviceContainers, UI_SERVICE } from "./render/compose.ts";
import { holdScript, releaseScript } from "./render/hold.ts";
import { publishedPorts } from "./render/nginx-config.ts";
import { reloadNginxScript } from "./render/scripts.ts";
import { bootUnit } from "./render/units.ts";
import type { RegistrySettings } from "./settings.ts";

/** Arguments of {@link RegistryServices}. */
export interface RegistryServicesArgs {
  readonly settings: RegistrySettings;
  /** Whether the host has containers of another program under these names. */
  readonly former?: boolean;
  /** The services as the compose file has them. */
  readonly services: pulumi.Output<Record<string, ComposeService>>;
  /** When the files that a service reads at its start only were written, by service. */
  readonly mounted: Readonly<Record<string, pulumi.Output<string>[]>>;
  /** When the files that nginx takes up by a reload were written. */
  readonly reloaded: readonly pulumi.Output<string>[];
}

/** The running containers, the unit that starts them at boot, and the reload of nginx after theirs. */
export class RegistryServices extends pulumi.ComponentResource {
  /** Includes the last reload of nginx. */
  public readonly changes: readonly pulumi.Output<string>[];

  constructor(name: string, args: RegistryServicesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:host:RegistryServices", name, {}, opts);
    const compose = runningServices(name, args, { parent: this });
    const boot = new SystemdUnit(
      `${name}-boot`,
      { name: units.boot, content: bootUnit(args.settings), enabled: true, active: true, ...backups },
      // Started first, the unit would bring the containers up itself, without pull, wait and report.
      { parent: this, dependsOn: [compose] },
    );
    const nginx = new Step(
      `${name}-nginx-reload`,
      // After a bounce the registries have other addresses.
      {
        action: "reload nginx",
        script: reloadNginxScript(),
        triggers: [compose.bounce, ...args.reloaded],
      },
      // Both may recreate containers: after the reload nothing may move any more.
      { parent: this, dependsOn: [compose, boot] },
    );
    this.changes = [compose.changedAt, boot.changedAt, nginx.changedAt];
    this.registerOutputs({});
  }
}

const backups = { backupDirectory };

function runningServices(
  name: string,
  { settings, services, mounted, former = false }: RegistryServicesArgs,
  opts: pulumi.CustomResourceOptions,
): ComposeProject {
  const expected = Object.entries(serviceContainers(settings)).map(([service, container]) => [
    service,
    {
      ...container,
      revision: services.apply((all) => revisionOf(all, service)),
      mounted: mounted[service] ?? [],
    } satisfies ComposeServiceArgs,
  ]);
  const args = {
    project: composeProject,
    file: hostPaths(settings.directory).composeFile,
    services: Object.fromEntries(expected),
    data: [privateData(settings)],
    dependents: [NGINX_SERVICE, ...(settings.ui.enabled ? [UI_SERVICE] : [])],
    // With the containers of another program every one is made anew: clients wait for that.
    ...(former && { hold: { begin: holdScript(publishedPorts(settings)), end: releaseScript() } }),
  };
  return new ComposeProject(`${name}-compose`, args, opts);
}

function revisionOf(services: Record<string, ComposeService>, service: string): string {
  const definition = services[service];
  if (definition === undefined) throw new Error(`the compose file has no service ${service}`);
  return definition.labels[revisionLabel];
}
