import * as v from "valibot";
import { onePositional, parseArguments } from "../cli/command.ts";
import { ProgramError } from "../cli/errors.ts";
import { duration } from "../cli/options/durations.ts";
import { names } from "../cli/options/names.ts";
import { path } from "../cli/options/path.ts";
import { share } from "../cli/options/share.ts";
import { inUseOption } from "../in-use-list/in-use-option.ts";
import type { InUseOrigin } from "../in-use-list/read-in-use.ts";
import type { Share } from "../source/source.ts";
import { freezeEntries, freezeOf } from "../write-freeze/freeze-option.ts";
import type { FreezeOptions } from "../write-freeze/write-freeze.ts";
import type { Budget } from "./plan.ts";

/** Which of its jobs a run does. */
export type GcMode =
  | { readonly does: "collect" }
  | { readonly does: "undo"; readonly run: string }
  | { readonly does: "purge"; readonly ageMs: number }
  | { readonly does: "watch" }
  | { readonly does: "gate" };

/** What gc was asked to do. */
export interface GcArguments {
  /** A data root or one store. */
  readonly directory: string;
  readonly mode: GcMode;
  readonly apply: boolean;
  readonly json: boolean;
  /** Only these registries; empty: all authoritative ones. */
  readonly registries: readonly string[];
  readonly authoritative: readonly string[];
  readonly caches: readonly string[];
  readonly deadForMs: number;
  readonly graceMs: number;
  readonly overwrittenMs: number;
  /** File with rules of retention, whose `overwritten` goes before that; undefined: none. */
  readonly rules: string | undefined;
  readonly budget: Budget;
  readonly shard: Share | undefined;
  /** Where the list of the images in use is; undefined: none is used. */
  readonly inUse: InUseOrigin | undefined;
  /** What clients call the registry, by each of its names, for that list. */
  readonly instances: readonly string[];
  readonly ledger: boolean;
  /** No program serves the store. */
  readonly offline: boolean;
  readonly freeze: FreezeOptions | undefined;
  readonly accessLogs: readonly string[];
  readonly metricsPath: string | undefined;
}

export const gcHelp = `Usage: regwarden gc DIR [OPTION]...
       regwarden gc DIR --apply (--offline | --freeze FILE --freeze-status URL --access-log FILE...) [OPTION]...
       regwarden gc DIR --undo RUN [--apply]
       regwarden gc DIR --purge AGE [--apply]
       regwarden gc DIR --watch --access-log FILE...
       regwarden gc DIR --gate-3x
       regwarden gc --merge-reports FILE...

Finds links and blobs that no tag needs, and with --apply moves them into a quarantine, from where --undo brings them back
byte for byte. Nothing is removed for good but by --purge. Without --apply it marks and plans: it changes nothing but its
own ledger, and prints what would go.

What stays: all that a tag needs, at any depth; what tags pointed to until lately; what is in use; signatures and others
about it; what is young; all that a damaged repository links. What goes must have been found unreached by a mark at least
--dead-for ago, so run it daily without --apply. Caches are never collected.

DIR is a data root with one directory a registry (DIR/private/docker/registry/v2), or one store (DIR/docker/registry/v2).

What is dead:
  --dead-for TIME       found unreached for at least so long. Default: 24h. 0s needs no earlier mark
  --grace TIME          and not written since. Default: 2h
  --overwritten TIME    keeps what a tag pointed to within this time. Default: 7d
  --rules FILE          retain's rules: where the rule of a repository says overwritten, that goes before
  --in-use FILE         keeps what this list of in-use --json names; or tag:REGISTRY/REPOSITORY:TAG, an artifact in DIR
                        with it. One that is older than a day, incomplete or unreadable refuses the run
  --instance NAME       what clients call the registry in that list, HOST:PORT; may be repeated
  --registry NAME       collects only this registry; may be repeated
  --cache NAME          a registry that is a pull-through cache; may be repeated. Default as for scan
  --authoritative NAME  a registry that is no cache although it looks like one; may be repeated
  --budget SHARE        refuses to remove more of the blobs, of the bytes, or of one repository's links. Default: 30%
  --shard I/N           only the Ith of N parts of all digests, N a power of two up to 256; reports add up to the whole
  --no-ledger           neither reads nor writes the ledger DIR/.regwarden/ledger: nothing is dead without --dead-for 0s

Removing it:
  --apply               moves what is dead into DIR/.regwarden/quarantine, then checks that every tag is as complete as before
  --offline             no program serves the registry now. Else writes must be held meanwhile:
  --freeze FILE         the flag file by which nginx holds writes
  --freeze-status URL   where nginx says that it does
  --access-log FILE     nginx's log, which says what clients were told lately; may be repeated, oldest first
  --undo RUN            plans, or with --apply does: puts back what a run moved
  --purge AGE           plans, or with --apply does: removes for good what runs older than this moved, like 7d
  --watch               follows the log, and puts back at once what a client misses

Output:
  --json                prints one document (regwarden/gc/v1) instead of text
  --metrics FILE        also writes Prometheus metrics to FILE, completely or not at all
  --merge-reports FILE...
                        prints the --json reports of all shards as the report of one run
  --gate-3x             checks only whether distribution 3.x can serve, and collect, this store without losing an image

Exit status: 0 nothing to remove, or applied; 1 a plan that removes something, a refusal for its budget or for damage, a
proof that failed (then everything was put back), or 3.x would lose something; 2 wrong usage; 3 something could not be
checked: the store, the log, the list of images in use, or whether writes are held. Nothing was removed then.
`;

const shard = v.pipe(
  v.string(),
  v.check(
    (text) => parseShare(text) !== undefined,
    "--shard must be like 3/16: a number from 1 to the second, which is a power of two up to 256.",
  ),
  v.transform((text) => parseShare(text) ?? { index: 0, count: 1 }),
);

const schema = v.object({
  positionals: onePositional("DIR"),
  apply: v.optional(v.boolean(), false),
  json: v.optional(v.boolean(), false),
  watch: v.optional(v.boolean(), false),
  "gate-3x": v.optional(v.boolean(), false),
  "no-ledger": v.optional(v.boolean(), false),
  registry: names("--registry"),
  authoritative: names("--authoritative"),
  cache: names("--cache"),
  instance: names("--instance"),
  "access-log": names("--access-log"),
  "dead-for": v.optional(duration("--dead-for", "24h"), "24h"),
  grace: v.optional(duration("--grace", "2h"), "2h"),
  overwritten: v.optional(duration("--overwritten", "7d"), "7d"),
  rules: path("--rules"),
  purge: v.optional(duration("--purge", "7d")),
  undo: v.optional(v.pipe(v.string(), v.nonEmpty("--undo needs the name of a run."))),
  budget: v.pipe(
    share("--budget", "30%"),
    v.transform((most) => ({ share: most })),
  ),
  shard: v.optional(shard),
  "in-use": inUseOption,
  ...freezeEntries,
  metrics: path("--metrics"),
});

const text = { type: "string" } as const;
const list = { type: "string", multiple: true } as const;
const flag = { type: "boolean" } as const;
const options = {
  apply: flag,
  json: flag,
  offline: flag,
  watch: flag,
  "gate-3x": flag,
  "no-ledger": flag,
  registry: list,
  authoritative: list,
  cache: list,
  instance: list,
  "access-log": list,
  "dead-for": text,
  grace: text,
  overwritten: text,
  rules: text,
  purge: text,
  undo: text,
  budget: text,
  shard: text,
  "in-use": text,
  freeze: text,
  "freeze-status": text,
  metrics: text,
} as const;

/** Errors: E_USAGE. */
export function parseGcArguments(argv: readonly string[]): GcArguments {
  const given = parseArguments(argv, options, schema);
  const result: GcArguments = {
    directory: given.positionals,
    mode: modeOf(given),
    apply: given.apply,
    json: given.json,
    registries: given.registry,
    authoritative: given.authoritative,
    caches: given.cache,
    deadForMs: given["dead-for"],
    graceMs: given.grace,
    overwrittenMs: given.overwritten,
    rules: given.rules,
    budget: given.budget,
    shard: given.shard,
    inUse: given["in-use"],
    instances: given.instance,
    ledger: !given["no-ledger"],
    offline: given.offline,
    freeze: freezeOf(given),
    accessLogs: given["access-log"],
    metricsPath: given.metrics,
  };
  requireSense(result);
  return result;
}

function modeOf(given: v.InferOutput<typeof schema>): GcMode {
  const modes: GcMode[] = [
    ...(given.undo === undefined ? [] : [{ does: "undo", run: given.undo } as const]),
    ...(given.purge === undefined ? [] : [{ does: "purge", ageMs: given.purge } as const]),
    ...(given.watch ? [{ does: "watch" } as const] : []),
    ...(given["gate-3x"] ? [{ does: "gate" } as const] : []),
  ];
  const [mode = { does: "collect" }, ...rest] = modes;
  if (rest.length > 0) throw usage("Of --undo, --purge, --watch and --gate-3x, a run takes one.");
  return mode;
}

function requireSense(given: GcArguments): void {
  const { mode, apply, offline, freeze, accessLogs, inUse, instances } = given;
  if (mode.does === "watch" && accessLogs.length === 0) throw usage("--watch needs --access-log.");
  if (mode.does === "collect" && apply && !offline && (!freeze || accessLogs.length === 0))
    throw usage(
      "--apply needs --offline, when no program serves the registry now; else --freeze, --freeze-status and --access-log, so that writes are held while things are moved.",
    );
  if (inUse && instances.length === 0)
    throw usage("--in-use needs --instance: what clients call the registry in that list.");
}

function usage(message: string): ProgramError {
  return new ProgramError("E_USAGE", message);
}

/** Counted from 0; undefined for a text that is no share. */
function parseShare(given: string): Share | undefined {
  const [, first = "", second = ""] = /^(\d{1,3})\/(\d{1,3})$/.exec(given) ?? [];
  const [number, count] = [Number(first), Number(second)];
  const isPowerOfTwo = count > 0 && count <= 256 && (count & (count - 1)) === 0;
  return isPowerOfTwo && number >= 1 && number <= count ? { index: number - 1, count } : undefined;
}
