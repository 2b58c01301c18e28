import * as v from "valibot";
import { parseArguments } from "../cli/command.ts";
import { ProgramError } from "../cli/errors.ts";
import { dockerConfigPath, privacyFault, readAccount } from "../cli/options/account.ts";
import type { Environment } from "../cli/options/environment.ts";
import { concurrency, seconds, timeoutSeconds } from "../cli/options/numbers.ts";
import type { Account } from "../http/exchange.ts";
import { parsePlatform } from "../registry/platform.ts";
import { parseReference, type Reference } from "../registry/reference.ts";

/** One image to verify. */
export interface Target extends Reference {
  /** As given. */
  readonly text: string;
  readonly host: string;
}

/** What a verification was asked to do. */
export interface VerifySettings {
  readonly targets: readonly Target[];
  /** Platforms that every image must be there for. */
  readonly platforms: readonly string[];
  /** From the environment; else each registry's own from Docker's configuration. */
  readonly account: Account | undefined;
  readonly dockerConfig: string;
  readonly waitSeconds: number;
  readonly download: boolean;
  readonly plainHttp: boolean;
  readonly concurrency: number;
  /** How long a registry may be silent. */
  readonly timeoutSeconds: number;
  readonly json: boolean;
  readonly junit: string | undefined;
}

export const verifyHelp = `Usage: regwarden verify [OPTION]... REF...

Asks a registry whether images that were just pushed are complete: index, manifests, configurations and layers, nested
indexes, attestations, signatures under fallback tags or in the registry's own list; build caches and other artifacts as
well. Reports all defects at once. Reads only. REF is HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]; without both it is the tag latest.

Options:
  --platform OS/ARCH[/VARIANT]  must be there, in each REF; may be given several times
  --wait SECONDS                check again what is not complete, for so long; 0 to 600. Default: 5
  --download                    also fetch all layers and hash them; else lengths are compared
  --plain-http                  no TLS, and so no account, except on this machine. Without it, only registries on this
                                machine may do without
  --concurrency N               requests in flight, to each registry. Default: 16
  --timeout SECONDS             how long a registry may send no byte; 1 to 600. Default: 10
  --json                        prints one document (regwarden/verify/v1) instead of text
  --junit FILE                  also writes a report as JUnit has it
The account by the environment, REG_USER and REG_PASS, for one registry; else as docker login left it, in config.json of
DOCKER_CONFIG or of ~/.docker. A CA of one's own by NODE_EXTRA_CA_CERTS, as Node reads it.

Exit status: 0 all complete, 1 something is missing or broken, attestations included, 2 wrong usage or configuration,
3 something could not be checked.
`;

const platform = v.pipe(
  v.string(),
  v.check(
    (given) => parsePlatform(given) !== undefined,
    ({ input }) => `--platform must be OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, got ${input}.`,
  ),
);

const schema = v.object({
  positionals: v.pipe(v.array(v.string()), v.minLength(1, "REF is missing.")),
  platform: v.optional(v.array(platform), []),
  wait: seconds("--wait", { from: 0, to: 600, standard: 5 }),
  concurrency: concurrency("--concurrency"),
  timeout: timeoutSeconds("--timeout"),
  download: v.optional(v.boolean(), false),
  "plain-http": v.optional(v.boolean(), false),
  json: v.optional(v.boolean(), false),
  junit: v.optional(v.pipe(v.string(), v.nonEmpty("--junit needs the name of a file."))),
});

const options = {
  platform: { type: "string", multiple: true },
  wait: { type: "string" },
  concurrency: { type: "string" },
  timeout: { type: "string" },
  download: { type: "boolean" },
  "plain-http": { type: "boolean" },
  json: { type: "boolean" },
  junit: { type: "string" },
} as const;

/**
 * The only reader of the environment. No message repeats a password.
 *
 * Errors: E_USAGE for the command line; E_CONFIGURATION with all faults of references and account.
 */
export function parseVerifyArguments(
  argv: readonly string[],
  environment: Environment = process.env,
): VerifySettings {
  const {
    positionals,
    platform,
    wait,
    timeout,
    "plain-http": plainHttp,
    ...rest
  } = parseArguments(argv, options, schema);
  const parsed = positionals.map(parseTarget);
  const targets = parsed.flatMap((target) => ("fault" in target ? [] : target));
  const { account, faults } = readAccount(environment);
  const hosts = new Set(targets.map(({ host }) => host));
  const all = [
    ...parsed.flatMap((target) => ("fault" in target ? target.fault : [])),
    ...faults,
    ...(account && plainHttp
      ? [...hosts].flatMap((host) => privacyFault(host, new URL(`http://${host}`)) ?? [])
      : []),
    ...(account && hosts.size > 1
      ? [`REG_USER and REG_PASS are for one registry, and the references name ${[...hosts].join(" and ")}.`]
      : []),
  ];
  if (all.length > 0) throw new ProgramError("E_CONFIGURATION", all.join(" "));
  return {
    ...rest,
    targets,
    platforms: platform,
    waitSeconds: wait,
    timeoutSeconds: timeout,
    plainHttp,
    account,
    dockerConfig: dockerConfigPath(environment),
    junit: rest.junit,
  };
}

function parseTarget(text: string): Target | { readonly fault: string } {
  const parsed = parseReference(text);
  if ("reason" in parsed) return { fault: `${text} is no reference: ${parsed.reason}.` };
  const { host, repository, tag, digest } = parsed;
  if (host === null) return { fault: `${text} names no registry: write HOST[:PORT]/${text}.` };
  return { text, host, repository, tag: tag ?? (digest === null ? "latest" : null), digest };
}
