import { createHash } from "node:crypto";
import { cronJobs } from "../../../contract/cluster-names.ts";
import { variables } from "../../../contract/environment.ts";
import { bundleFile } from "../../../contract/host-paths.ts";
import type { ClusterSettings } from "../settings.ts";
import type { Mount, Variable, Volume } from "./cron-job.ts";

/** Names as the former probe had them: dashboards, runbooks and habits live on. */
export const ACCOUNT_SECRET = "registry-probe-credentials";
/** The programs are named after the probe, which had them alone once. */
export const PROGRAM_LABELS = { "app.kubernetes.io/name": cronJobs.probe };
export const AUTHORITY_CONFIG_MAP = "registry-probe-authority";
export const AUTHORITY_KEY = "ca.pem";

const PROGRAM_DIRECTORY = "/opt/regwarden";
/** The bundle in the pods. */
export const programPath = `${PROGRAM_DIRECTORY}/${bundleFile}`;
const AUTHORITY_DIRECTORY = "/etc/regwarden/authority";
// A ConfigMap may have 1 MiB in all; what is left is for metadata and for growth that is noticed in time.
const BUNDLE_LIMIT_BYTES = 900 * 1024;

/** The bundle as a ConfigMap's data, with the name that belongs to exactly this content. */
export interface BundleConfigMap {
  readonly name: string;
  readonly data: Record<string, string>;
}

/**
 * A name by content: a change makes a new, immutable ConfigMap, and no running pod ever sees half of an update.
 *
 * Errors: throws when the bundle does not fit into a ConfigMap.
 */
export function bundleConfigMap(bundle: Buffer): BundleConfigMap {
  if (bundle.length >= BUNDLE_LIMIT_BYTES) {
    throw new Error(
      `The bundled programs have ${bundle.length} bytes, and a ConfigMap takes less than ${BUNDLE_LIMIT_BYTES} ` +
        "(900 KiB): see what grew with `npm run build`, or put the bundle into an image.",
    );
  }
  const digest = createHash("sha256").update(bundle).digest("hex");
  return {
    name: `regwarden-programs-${digest.slice(0, 12)}`,
    data: { [bundleFile]: bundle.toString("utf8") },
  };
}

/** Names of the objects that the programs' pods use. */
export interface ProgramMounts {
  readonly bundle: string;
  readonly secret: string;
  readonly serviceAccount: string;
  /** Left out where the registry's certificate comes from an authority that every client trusts. */
  readonly authority?: string | undefined;
}

/** The programs, and the authority of the registry's certificate where there is one. */
export function programVolumes({ bundle, authority }: ProgramMounts): Volume[] {
  const programs = { name: "programs", configMap: { name: bundle, defaultMode: 0o444 } };
  if (authority === undefined) return [programs];
  return [programs, { name: "authority", configMap: { name: authority, defaultMode: 0o444 } }];
}

/** Where {@link programVolumes} are seen. */
export function programMounts({ authority }: ProgramMounts): Mount[] {
  const programs = { name: "programs", mountPath: PROGRAM_DIRECTORY, readOnly: true };
  if (authority === undefined) return [programs];
  return [programs, { name: "authority", mountPath: AUTHORITY_DIRECTORY, readOnly: true }];
}

/** How the programs reach the registry and the Pushgateway. */
export function registryVariables(
  { probe, pushgatewayUrl }: ClusterSettings,
  { secret }: ProgramMounts,
  instance: string,
): Variable[] {
  const account = (name: string) => ({ name, valueFrom: { secretKeyRef: { name: secret, key: name } } });
  return [
    account(variables.registryUser),
    account(variables.registryPassword),
    { name: variables.registryUrl, value: probe.registryUrl },
    { name: variables.registryInstance, value: instance },
    { name: variables.pushgateway, value: pushgatewayUrl },
  ];
}

/** The authority that the programs trust besides the usual ones. */
export function authorityVariables({ authority }: ProgramMounts): Variable[] {
  if (authority === undefined) return [];
  return [{ name: variables.authorityFile, value: `${AUTHORITY_DIRECTORY}/${AUTHORITY_KEY}` }];
}
