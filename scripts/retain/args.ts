import * as v from "valibot";
import { onePositional, parseArguments } from "../cli/command.ts";
import { ProgramError } from "../cli/errors.ts";
import { duration } from "../cli/options/durations.ts";
import { names } from "../cli/options/names.ts";
import { path } from "../cli/options/path.ts";
import { share } from "../cli/options/share.ts";
import { inUseOption } from "../in-use-list/in-use-option.ts";
import type { InUseOrigin } from "../in-use-list/read-in-use.ts";
import { parseReference } from "../registry/reference.ts";
import { freezeEntries, freezeOf } from "../write-freeze/freeze-option.ts";
import type { FreezeOptions } from "../write-freeze/write-freeze.ts";

interface Common {
  /** A data root or one store. */
  readonly directory: string;
  readonly apply: boolean;
  readonly json: boolean;
}

export interface PlanArguments extends Common {
  readonly does: "plan";
  readonly rules: string;
  readonly inUse: InUseOrigin | undefined;
  /** What clients call the registry, HOST[:PORT]. */
  readonly instances: readonly string[];
  readonly inUseMaxAgeMs: number;
  readonly accessLogs: readonly string[];
  readonly registries: readonly string[];
  readonly authoritative: readonly string[];
  readonly caches: readonly string[];
  /** Shares, from 0 to 1. */
  readonly maxRemoved: number;
  readonly maxRemovedOfRepository: number;
  /** No program serves the stores. */
  readonly offline: boolean;
  /** How writes are held while tags are moved; undefined: they are not. */
  readonly freeze: FreezeOptions | undefined;
  readonly verbose: boolean;
  readonly metricsPath: string | undefined;
}

/** What was asked for. */
export type RetainArguments =
  | PlanArguments
  | (Common & { readonly does: "undo"; readonly run: string })
  | (Common & { readonly does: "purge"; readonly olderThanMs: number });

export const retainHelp = `Usage: regwarden retain DIR --rules FILE [--apply] [OPTION]...
       regwarden retain DIR --undo RUN [--apply]
       regwarden retain DIR --purge AGE [--apply]

Decides by rules which tags stay, and moves the others out of the store, to DIR/.regwarden/retained. Manifests and layers
stay until gc collects them. Changes nothing without --apply. Safe while the registry serves: a push wins. Only with --freeze
does no push fail: without it, one that writes to a tag in the very moment in which that goes may be answered 500 once.

DIR is a data root with one directory a registry (DIR/private/docker/registry/v2), or one store (DIR/docker/registry/v2).
Caches are left alone.

The rules, as YAML. The first that matches a repository decides; one without a rule is kept complete, and so is regwarden/*:
  ignoreAgents: ["trivy/*"]       whose pulls do not count, beside our own programs
  rules:
    - repositories: ["ci/**"]     * stands for any text without a slash, ** for any text, ? for one character
      keep:                       a tag stays when one of these holds:
        newest: 10                by the time of its last push
        newestOf: [{ tags: ["v*"], count: 5 }]
        pushedWithin: 30d         m, h, d or w
        pulledWithin: 30d         by --access-log
        tags: ["latest", "v*"]
        inUse: true               by --in-use
        all: [{ newest: 3 }, { pushedWithin: 100h }]    stays when each of these holds
      overwritten: { keep: 3, within: 7d }              for gc: digests that a tag pointed to before
      mayEmpty: true              the last tag of a repository may go as well. Default: the newest stays
      trustPushTimes: true        for many tags of one minute, which else are taken for a copied store
Signatures and the like (sha256-HEX, .sig, .att, .sbom) do not count, and stay as long as what they are about.
Where something that a rule needs cannot be read, what it might keep stays, and the report says so.

Options:
  --apply                 does what is planned
  --rules FILE            the rules
  --in-use FILE           what in-use --json wrote, or tag:REGISTRY/REPOSITORY:TAG for an artifact in a store of DIR
  --instance HOST[:PORT]  what the list calls the registry; may be repeated. Needed with --in-use
  --in-use-max-age AGE    how old the list may be. Default: 24h
  --access-log FILE       nginx's log, with the former files beside it; may be repeated
  --registry NAME         only this registry; may be repeated
  --cache NAME            a registry that is a pull-through cache; may be repeated. Default as for scan
  --authoritative NAME    a registry that is no cache although it looks like one; may be repeated
  --max-removed SHARE     do nothing in a registry of which more tags would go. Default: 50%
  --max-removed-of-repository SHARE
                          do nothing in a repository of which more tags would go. Default: 100%
  --undo RUN              puts the tags of a run back, byte for byte; one that was pushed since stays as it is, and one
                          whose image is not complete any more stays out. An undo can be undone in its turn
  --purge AGE             removes what runs older than that have moved out of the store, for good
  --freeze FILE           the flag file by which nginx holds writes, for as long as tags are moved
  --freeze-status URL     where nginx says that it does
  --offline               no program serves the registry now, so no writes are held
  --verbose               lists every tag with what decided about it
  --metrics FILE          also writes Prometheus metrics to FILE, completely or not at all
  --json                  prints one document (regwarden/retain/v1, retain-undo/v1, retain-purge/v1) instead of text

Exit status: 0 nothing to do, or all is done that can be while the access log is younger than pulledWithin; 1 a plan that was not applied, or was refused; 2 wrong usage or rules;
3 something that a rule needs could not be read, writes not be held, or the store not be written.
`;

const schema = v.object({
  positionals: onePositional("DIR"),
  apply: v.optional(v.boolean(), false),
  json: v.optional(v.boolean(), false),
  verbose: v.optional(v.boolean(), false),
  rules: path("--rules"),
  "in-use": inUseOption,
  "in-use-max-age": v.optional(duration("--in-use-max-age", "24h"), "24h"),
  instance: v.optional(
    v.array(
      v.pipe(v.string(), v.check(isHost, "--instance needs HOST or HOST:PORT, as images name the registry.")),
    ),
    [],
  ),
  "access-log": names("--access-log"),
  registry: names("--registry"),
  authoritative: names("--authoritative"),
  cache: names("--cache"),
  "max-removed": share("--max-removed", "50%"),
  "max-removed-of-repository": share("--max-removed-of-repository", "100%"),
  ...freezeEntries,
  metrics: path("--metrics"),
  undo: v.optional(v.pipe(v.string(), v.nonEmpty("--undo needs the name of a run."))),
  purge: v.optional(duration("--purge", "7d")),
});

const text = { type: "string" } as const;
const list = { type: "string", multiple: true } as const;
const flag = { type: "boolean" } as const;
const options = {
  apply: flag,
  json: flag,
  verbose: flag,
  rules: text,
  "in-use": text,
  "in-use-max-age": text,
  instance: list,
  "access-log": list,
  registry: list,
  authoritative: list,
  cache: list,
  "max-removed": text,
  "max-removed-of-repository": text,
  freeze: text,
  "freeze-status": text,
  offline: flag,
  metrics: text,
  undo: text,
  purge: text,
} as const;

/** Errors: E_USAGE. */
export function parseRetainArguments(argv: readonly string[]): RetainArguments {
  const given = parseArguments(argv, options, schema);
  const common = { directory: given.positionals, apply: given.apply, json: given.json };
  const modes = [given.rules, given.undo, given.purge].filter((mode) => mode !== undefined);
  if (modes.length !== 1)
    throw new ProgramError("E_USAGE", "Exactly one of --rules, --undo and --purge is needed.");
  if (given.undo !== undefined) return { ...common, does: "undo", run: given.undo };
  if (given.purge !== undefined) return { ...common, does: "purge", olderThanMs: given.purge };
  if (given["in-use"] && given.instance.length === 0)
    throw new ProgramError(
      "E_USAGE",
      "--in-use needs --instance HOST[:PORT] as well: a list of another registry's images would say nothing.",
    );
  return {
    ...common,
    does: "plan",
    rules: given.rules ?? "",
    inUse: given["in-use"],
    instances: given.instance,
    inUseMaxAgeMs: given["in-use-max-age"],
    accessLogs: given["access-log"],
    registries: given.registry,
    authoritative: given.authoritative,
    caches: given.cache,
    maxRemoved: given["max-removed"],
    maxRemovedOfRepository: given["max-removed-of-repository"],
    offline: given.offline,
    freeze: freezeOf(given),
    verbose: given.verbose,
    metricsPath: given.metrics,
  };
}

function isHost(given: string): boolean {
  const parsed = parseReference(`${given}/x`);
  return "host" in parsed && parsed.host === given;
}
