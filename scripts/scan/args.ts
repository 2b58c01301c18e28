import { hostname } from "node:os";
import * as v from "valibot";
import { onePositional, parseArguments } from "../cli/command.ts";
import { ProgramError } from "../cli/errors.ts";
import { pushgatewayAddress } from "../cli/options/address.ts";
import { bandwidthLimit } from "../cli/options/bytes.ts";
import { names } from "../cli/options/names.ts";
import { path } from "../cli/options/path.ts";
import { type Verification, verificationOf } from "../cli/options/verification.ts";

/** What a scan was asked to do. */
export interface ScanArguments {
  /** A data root or one store. */
  readonly directory: string;
  readonly json: boolean;
  /** Where to put the report as well. */
  readonly reportPath: string | undefined;
  /** Where to put the metrics, if anywhere. */
  readonly metricsPath: string | undefined;
  /** Base URL without a slash at its end. */
  readonly pushgateway: string | undefined;
  /** Whose metrics they are in a Pushgateway. */
  readonly instance: string;
  /** Names of registries that are no caches, whatever file they keep, and of such that are. */
  readonly authoritative: readonly string[];
  readonly caches: readonly string[];
  /** Names of the registries and repositories to check; empty: all. */
  readonly registries: readonly string[];
  readonly repositories: readonly string[];
  /** Which blobs are read as a whole and compared with their digests; manifests always are. */
  readonly verify: Verification;
  /** Bytes a second that may be read to compare with digests; undefined: no limit. */
  readonly bandwidthLimit: number | undefined;
}

export const scanHelp = `Usage: regwarden scan DIR [OPTION]...

Checks the storage of registries for everything that a tag needs: its link, manifests and nested indexes, the
repository's links, configurations and layers with their lengths, signatures and their subjects; and for what is
unreferenced. Reads only, and may run while the registry serves.

DIR is a data root with one directory a registry (DIR/private/docker/registry/v2), or one store (DIR/docker/registry/v2).

Options:
  --json                prints the report (regwarden/scan/v1) instead of tables
  --report FILE         also writes the report to FILE, completely or not at all
  --metrics FILE        also writes Prometheus metrics to FILE, completely or not at all, also when the scan could not check
  --pushgateway URL     also puts the metrics there, as group regwarden-scan
  --instance NAME       whose metrics they are there. Default: the name of this machine
  --cache NAME          a registry that is a pull-through cache, which may lawfully lack a part of what it names; may be
                        repeated. Default: each that has a scheduler-state.json in its directory, as registries write it
                        seconds after their first fetch (3.x with proxy.ttl 0 never does). All others are checked in full
  --authoritative NAME  a registry that is no cache although it has that file; may be repeated
  --registry NAME       checks this registry only; may be repeated
  --repository NAME     checks this repository only, in all registries that have it; may be repeated
  --verify-digests      also reads every configuration and compares it with its digest; manifests always are
  --verify-layers       the same for layers as well: reads the whole store
  --bandwidth-limit N   what these two may read a second, and the check of what another registry of DIR holds of a
                        damaged image: bytes, or with a unit like 50M or 500KiB

Exit status: 0 nothing found, 1 findings, 2 wrong usage, 3 something could not be read.
`;

const schema = v.object({
  positionals: onePositional("DIR"),
  json: v.optional(v.boolean(), false),
  report: path("--report"),
  metrics: path("--metrics"),
  pushgateway: pushgatewayAddress("--pushgateway"),
  instance: v.optional(v.pipe(v.string(), v.nonEmpty("--instance needs a name."))),
  authoritative: names("--authoritative"),
  cache: names("--cache"),
  registry: names("--registry"),
  repository: names("--repository"),
  "verify-digests": v.optional(v.boolean(), false),
  "verify-layers": v.optional(v.boolean(), false),
  "bandwidth-limit": bandwidthLimit,
});

const text = { type: "string" } as const;
const list = { type: "string", multiple: true } as const;
const flag = { type: "boolean" } as const;
const options = {
  json: flag,
  report: text,
  metrics: text,
  pushgateway: text,
  instance: text,
  authoritative: list,
  cache: list,
  registry: list,
  repository: list,
  "verify-digests": flag,
  "verify-layers": flag,
  "bandwidth-limit": text,
} as const;

/** Errors: E_USAGE. */
export function parseScanArguments(argv: readonly string[]): ScanArguments {
  const given = parseArguments(argv, options, schema);
  const isPart = given.registry.length > 0 || given.repository.length > 0;
  if (isPart && (given.metrics !== undefined || given.pushgateway !== undefined))
    throw new ProgramError(
      "E_USAGE",
      "The metrics are those of all registries: --metrics and --pushgateway go with neither --registry nor --repository.",
    );
  return {
    directory: given.positionals,
    json: given.json,
    reportPath: given.report,
    metricsPath: given.metrics,
    pushgateway: given.pushgateway,
    instance: given.instance ?? hostname(),
    authoritative: given.authoritative,
    caches: given.cache,
    registries: given.registry,
    repositories: given.repository,
    verify: verificationOf(given),
    bandwidthLimit: given["bandwidth-limit"],
  };
}
