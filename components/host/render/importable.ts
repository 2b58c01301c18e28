import type { ExistingKind } from "../../../contract/adoption.ts";
import { composeProject, units } from "../../../contract/host-names.ts";
import { hostPaths } from "../../../contract/host-paths.ts";
import { privateRegistry } from "../../../contract/registries.ts";
import { type RegistrySettings, registryNames } from "../settings.ts";

/**
 * What may be imported into the state where the host has it already, by kind. Nothing that holds a secret: what an import
 * reads is shown by the preview, and the engine does not yet know that it is one. Not the private registry's data, which
 * has a record of its own.
 */
export function importable(settings: RegistrySettings): Readonly<Record<ExistingKind, readonly string[]>> {
  const paths = hostPaths(settings.directory);
  const { ui, ...images } = settings.images;
  const withoutAccount = settings.caches.filter(({ username }) => username === undefined);
  return {
    directory: [
      ...[paths.root, paths.tls, paths.nginx, paths.auth, paths.programs, paths.data],
      ...registryNames(settings)
        .filter((name) => name !== privateRegistry)
        .map(paths.registryData),
    ],
    file: [
      ...[paths.composeFile, paths.nginxConfig, paths.registryConfig(privateRegistry)],
      ...withoutAccount.map(({ name }) => paths.registryConfig(name)),
    ],
    unit: Object.values(units),
    image: Object.values(settings.ui.enabled ? { ...images, ui } : images),
    project: [composeProject],
  };
}
