import * as v from "valibot";
import { onePositional, parseArguments } from "../cli/command.ts";
import { ProgramError } from "../cli/errors.ts";
import { parsePlainAddress } from "../cli/options/address.ts";
import { bandwidthLimit } from "../cli/options/bytes.ts";
import { names } from "../cli/options/names.ts";
import { timeoutSeconds } from "../cli/options/numbers.ts";
import { type Verification, verificationOf } from "../cli/options/verification.ts";
import { isRepositoryName } from "../registry/reference.ts";

/** What a repair was asked to do. */
export interface RepairArguments {
  /** A data root or one store. */
  readonly directory: string;
  readonly apply: boolean;
  readonly json: boolean;
  /** Only these registries; empty: all authoritative ones. */
  readonly registries: readonly string[];
  /** Only these repositories; empty: all. */
  readonly repositories: readonly string[];
  readonly authoritative: readonly string[];
  readonly caches: readonly string[];
  readonly from: readonly FromAddress[];
  readonly maxChanges: number;
  readonly tagLinks: boolean;
  /** Which blobs of images that seem complete are hashed as well; manifests always are. */
  readonly verify: Verification;
  /** Bytes a second that are fetched, and read to verify; undefined: no limit. */
  readonly bandwidthLimit: number | undefined;
  /** How long a registry that is copied from may be silent. */
  readonly timeoutSeconds: number;
  /** Directory for the undo journal; undefined: a new one in the given directory. */
  readonly journal: string | undefined;
  /** A journal to take back. */
  readonly undo: string | undefined;
  /** What clients call the registry. */
  readonly instance: string;
}

/** Where to fetch what is gone. */
export interface FromAddress {
  /** Scheme, host and port. */
  readonly origin: string;
  /** The one repository to ask; null: the one of the same name. */
  readonly repository: string | null;
}

export const repairHelp = `Usage: regwarden repair DIR [--apply] [OPTION]...
       regwarden repair DIR --undo JOURNAL [--apply]

Brings damaged images back. Checks the storage like scan, sorts what it finds into relink (all data is there, only links
are missing), recopy (another registry has the data) and rebuild (no registry has it), and prints what it would do for
each tag. Changes nothing without --apply. Every change is written to a journal before it is made; nothing is deleted.

DIR is a data root with one directory a registry (DIR/private/docker/registry/v2), or one store (DIR/docker/registry/v2).
Caches are not repaired: they fetch again what they lack. But what a cache of the same data root holds is copied.

Options:
  --apply               does what is planned, scans again, and prints what is left
  --from URL[/REPO]     a healthy registry, like https://registry.example:5050, to fetch from; its repository of the same
                        name, or REPO. May be repeated. Account: FROM_USER and FROM_PASS, else docker's config.json
  --bandwidth-limit N   fetch, and read for the two below, at most N a second: bytes, or like 50M or 500KiB
  --timeout SECONDS     how long a --from may send no byte; 1 to 600. Default: 10. A layer as such may take any time
  --max-changes N       refuse a plan of more changes. Default: 1000
  --registry NAME       repair only this registry; may be repeated
  --repository NAME     repair only this repository; may be repeated
  --cache NAME          a registry that is a pull-through cache; may be repeated. Default as for scan
  --authoritative NAME  a registry that is no cache although it looks like one; may be repeated
  --verify-digests      also find configurations with other bytes than their digests stand for
  --verify-layers       the same for layers as well: reads all of the store. Of damaged images all is read anyway
  --tag-links           point a tag without a usable link at the only manifest that it ever led to
  --instance NAME       what clients call the registry, HOST:PORT, for the commands to type. Default: REGISTRY
  --journal DIR         directory for the journal and for what is replaced, on the store's file system.
                        Default: DIR/.regwarden/repair-TIME
  --undo JOURNAL        undo the run of this journal; a dry run too, without --apply. Keeps what an image that was pushed
                        since needs, and says so. An undo has a journal too: to undo that is to redo
  --json                prints one document (regwarden/repair/v1, regwarden/repair-undo/v1) instead of text

All of this is safe while the registry serves. After data was copied, a registry with a descriptor cache
(cache.blobdescriptor in its configuration) needs a restart; one without serves it at once.

Exit status: 0 nothing to do, or all is healed or undone; 1 something is left to do, also what a dry run plans, or an undo
kept something; 2 wrong usage; 3 something could not be checked or written.
`;

const schema = v.object({
  positionals: onePositional("DIR"),
  apply: v.optional(v.boolean(), false),
  json: v.optional(v.boolean(), false),
  registry: names("--registry"),
  repository: names("--repository"),
  authoritative: names("--authoritative"),
  cache: names("--cache"),
  from: v.optional(
    v.array(
      v.pipe(
        v.string(),
        v.check(
          (given) => parseFrom(given) !== undefined,
          "--from must be like https://registry.example:5050 or https://registry.example:5050/team/app, without an account.",
        ),
        v.transform((given) => parseFrom(given) ?? { origin: "", repository: null }),
      ),
    ),
    [],
  ),
  "max-changes": v.pipe(
    v.optional(v.string(), "1000"),
    v.regex(/^\d{1,9}$/, "--max-changes must be a whole number."),
    v.transform(Number),
  ),
  "bandwidth-limit": bandwidthLimit,
  timeout: timeoutSeconds("--timeout"),
  "tag-links": v.optional(v.boolean(), false),
  "verify-digests": v.optional(v.boolean(), false),
  "verify-layers": v.optional(v.boolean(), false),
  instance: v.optional(v.pipe(v.string(), v.nonEmpty("--instance must not be empty.")), "REGISTRY"),
  journal: v.optional(v.pipe(v.string(), v.nonEmpty("--journal needs a directory."))),
  undo: v.optional(v.pipe(v.string(), v.nonEmpty("--undo needs a journal."))),
});

const options = {
  apply: { type: "boolean" },
  json: { type: "boolean" },
  registry: { type: "string", multiple: true },
  repository: { type: "string", multiple: true },
  authoritative: { type: "string", multiple: true },
  cache: { type: "string", multiple: true },
  from: { type: "string", multiple: true },
  "max-changes": { type: "string" },
  "bandwidth-limit": { type: "string" },
  timeout: { type: "string" },
  "tag-links": { type: "boolean" },
  "verify-digests": { type: "boolean" },
  "verify-layers": { type: "boolean" },
  instance: { type: "string" },
  journal: { type: "string" },
  undo: { type: "string" },
} as const;

/** Options that an undo does not take: it undoes all of a journal, in its own order. */
const notWithUndo = ["from", "registry", "repository", "max-changes", "journal", "tag-links"] as const;

/** Errors: E_USAGE. */
export function parseRepairArguments(argv: readonly string[]): RepairArguments {
  const given = parseArguments(argv, options, schema);
  const refused =
    given.undo === undefined ? [] : notWithUndo.filter((name) => argv.some((word) => isOption(word, name)));
  if (refused.length > 0)
    throw new ProgramError("E_USAGE", `--undo takes no ${refused.map((name) => `--${name}`).join(", ")}.`);
  return {
    directory: given.positionals,
    apply: given.apply,
    json: given.json,
    registries: given.registry,
    repositories: given.repository,
    authoritative: given.authoritative,
    caches: given.cache,
    from: given.from,
    maxChanges: given["max-changes"],
    tagLinks: given["tag-links"],
    verify: verificationOf(given),
    bandwidthLimit: given["bandwidth-limit"],
    timeoutSeconds: given.timeout,
    journal: given.journal,
    undo: given.undo,
    instance: given.instance,
  };
}

function isOption(word: string, name: string): boolean {
  return word === `--${name}` || word.startsWith(`--${name}=`);
}

function parseFrom(given: string): FromAddress | undefined {
  const url = parsePlainAddress(given);
  if (!url) return undefined;
  const repository = url.pathname.replace(/^\/|\/$/g, "");
  if (repository === "") return { origin: url.origin, repository: null };
  return isRepositoryName(repository) ? { origin: url.origin, repository } : undefined;
}
