import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { allAlerts } from "../../../components/cluster/render/rules.ts";
import { externalMetrics } from "../../../components/cluster/render/sources.ts";
import { secretKeyNames } from "../../../config/secrets.ts";
import { allKeys } from "../../../config/setting.ts";
import { settingsSchema } from "../../../config/settings.ts";
import * as accessLog from "../../../contract/access-log.ts";
import * as adoption from "../../../contract/adoption.ts";
import * as clusterNames from "../../../contract/cluster-names.ts";
import * as hostNames from "../../../contract/host-names.ts";
import * as hostPaths from "../../../contract/host-paths.ts";
import * as metrics from "../../../contract/metrics.ts";
import { defaultCaches, privateRegistry } from "../../../contract/registries.ts";
import * as writeFreeze from "../../../contract/write-freeze.ts";
import { root } from "../imports.ts";
import { SCOPE } from "../rules/rendered-rules.ts";

/** What the code calls its things: a document may name these and no others. */

/** Every text in a value, at any depth. */
function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return value !== null && typeof value === "object" ? Object.values(value).flatMap(texts) : [];
}

const registries = [...defaultCaches.map(({ name }) => name), privateRegistry];

/** Metrics, and the recording rules' like. */
export const knownMetrics: ReadonlySet<string> = new Set([
  ...Object.values(metrics).flatMap((each) => Object.keys(each)),
  ...Object.keys(externalMetrics),
]);

export const knownAlerts: ReadonlySet<string> = new Set(allAlerts(SCOPE).map(({ name }) => name));

/** Keys of the configuration without the namespace, lists without `[]`: `cluster.probe.shards`. */
export const knownKeys: ReadonlySet<string> = new Set([
  ...allKeys(settingsSchema).map((key) => key.replaceAll("[]", "")),
  ...secretKeyNames,
]);

/** Units with and without their ending, containers, objects and jobs in the cluster. */
export const knownNames: ReadonlySet<string> = new Set([
  ...texts(hostNames).flatMap((name) => [name, name.replace(/\.(service|timer|path)$/, "")]),
  ...texts(clusterNames),
  ...registries.map(hostNames.registryContainer),
  // Begins a line that was disabled.
  adoption.disabledMarker.replaceAll(/[#: ]/g, ""),
]);

const { registryConfig, registryData, ...files } = hostPaths.hostPaths(hostPaths.defaultDirectory);

/** Files and directories on the host. */
export const knownHostPaths: ReadonlySet<string> = new Set([
  ...texts({ ...hostPaths, ...adoption, ...files, ...accessLog, ...writeFreeze }).filter((text) =>
    text.startsWith("/"),
  ),
  ...registries.flatMap((name) => [registryConfig(name), registryData(name)]),
  ...texts(hostPaths.scanFiles).map((file) => `${hostPaths.reportDirectory}/${file}`),
  ...texts(hostPaths.maintenanceFiles).map((file) => `${hostPaths.reportDirectory}/${file}`),
  `${hostPaths.reportDirectory}/${hostPaths.diskFile}`,
  ...texts(hostNames.units).map((unit) => `/etc/systemd/system/${unit}`),
]);

/** Directories on the host whose contents are not ours to name. */
export const openHostPaths: readonly string[] = [
  ...registries.map(registryData),
  `${files.data}/${hostPaths.ownDirectory}`,
  hostPaths.backupDirectory,
  hostPaths.backupStateDirectory,
  hostPaths.dataRecordDirectory,
];

/** Files that are in git, or will be with the next commit. */
export const projectFiles: readonly string[] = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard"],
  { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 },
).split("\n");

/** All code that is no test. */
const code = projectFiles
  .filter(
    (file) =>
      /\.(?:[mc]?[jt]s|ya?ml|sh|json)$|^\.ci\/|Dockerfile/.test(file) && !/^(?:docs|package-lock)/.test(file),
  )
  .map((file) => readFileSync(`${root}/${file}`, "utf8"))
  .join("\n");

/** Whether the code has this word at all. */
export const isInCode = (word: string): boolean => code.includes(word);
