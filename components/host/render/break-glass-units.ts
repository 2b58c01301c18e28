import { containers } from "../../../contract/host-names.ts";
import { breakGlassFile, hostPaths, reportDirectory } from "../../../contract/host-paths.ts";
import { privateRegistry } from "../../../contract/registries.ts";
import type { BreakGlassSettings, RegistrySettings } from "../settings.ts";
import { containerUnit } from "./container-unit.ts";
import { programCommand, REPORT_MOUNT } from "./sandbox.ts";
import { timerUnit } from "./timer.ts";

/**
 * Copies images out of the store. Exit code 1 (an image is damaged) leaves the unit failed on purpose: `systemctl --failed`
 * shows it until all are copied.
 */
export function breakGlassUnit(
  settings: RegistrySettings,
  { images, directory }: BreakGlassSettings,
): string {
  const { data } = hostPaths(settings.directory);
  const run = programCommand(settings, {
    command: [
      `export ${data} --registry ${privateRegistry} --to ${directory}`,
      ...images.map((image) => `--image ${image}`),
      `--metrics ${REPORT_MOUNT}/${breakGlassFile}`,
    ].join(" "),
    network: "none",
    volumes: [`${data}:${data}:ro`, `${directory}:${directory}`, `${reportDirectory}:${REPORT_MOUNT}`],
    options: [`--name ${containers.breakGlass} --memory 512m`],
  });
  return containerUnit({
    description: "Break glass copies of images out of the private registry's store",
    container: containers.breakGlass,
    command: run,
    timeout: "12h",
  });
}

/** Starts {@link breakGlassUnit}. */
export function breakGlassTimer({ onCalendar }: BreakGlassSettings): string {
  return timerUnit(
    "Daily break glass copies of images out of the private registry's store",
    `OnCalendar=${onCalendar}`,
    "Persistent=true",
  );
}
