import * as v from "valibot";
import { onePositional, parseArguments } from "../command.ts";

/** What a scan was asked to do. */
export interface ScanArguments {
  /** A data root or one store. */
  readonly directory: string;
  readonly json: boolean;
  /** Where to put the report as well. */
  readonly reportPath: string | undefined;
  /** Where to put the metrics, if anywhere. */
  readonly metricsPath: string | undefined;
  /** Names of the registries that are no caches; empty: the default for the form of the directory. */
  readonly authoritative: readonly string[];
}

export const scanHelp = `Usage: regwarden scan DIR [--json] [--report FILE] [--metrics FILE]
                          [--authoritative NAME]...

Looks through the storage of registries and reports image indexes whose children are lost, and layer links that lead to
nothing. Reads only, and may run while the registry serves.

DIR is a data root with one directory a registry (DIR/private/docker/registry/v2), or one store (DIR/docker/registry/v2).

Options:
  --json                prints the report (regwarden/scan/v1) instead of tables
  --report FILE         also writes the report to FILE, whole or not at all
  --metrics FILE        also writes Prometheus metrics to FILE, whole or not at all, also when the scan could not look
  --authoritative NAME  a registry that is the only home of its images; may be repeated. All others are caches, which may
                        lawfully lack an index's children. Default: private in a data root, or the one store itself.

Exit status: 0 nothing found, 1 findings, 2 wrong usage, 3 something could not be read.
`;

const schema = v.object({
  positionals: onePositional("DIR"),
  json: v.optional(v.boolean(), false),
  report: v.optional(v.pipe(v.string(), v.nonEmpty("--report needs the path of a file."))),
  metrics: v.optional(v.pipe(v.string(), v.nonEmpty("--metrics needs the path of a file."))),
  authoritative: v.optional(v.array(v.pipe(v.string(), v.nonEmpty("--authoritative needs a name."))), []),
});

/** Errors: E_USAGE. */
export function parseScanArguments(argv: readonly string[]): ScanArguments {
  const options = {
    json: { type: "boolean" },
    report: { type: "string" },
    metrics: { type: "string" },
    authoritative: { type: "string", multiple: true },
  } as const;
  const { positionals, json, report, metrics, authoritative } = parseArguments(argv, options, schema);
  return { directory: positionals, json, reportPath: report, metricsPath: metrics, authoritative };
}
