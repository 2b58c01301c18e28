import * as v from "valibot";
import { parseArguments } from "../cli/command.ts";
import { ProgramError } from "../cli/errors.ts";
import { privacyFault, readAccount } from "../cli/options/account.ts";
import { parseOrigin, pushgatewayAddress } from "../cli/options/address.ts";
import { type Environment, optionOrVariable } from "../cli/options/environment.ts";
import { concurrency, timeoutSeconds } from "../cli/options/numbers.ts";
import type { Account } from "../http/exchange.ts";

/** A part of the repositories, counted from 0. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** What a probe was asked to do. */
export interface ProbeSettings {
  /** Scheme, host and port. */
  readonly origin: string;
  /** The registry's public HOST:PORT: label of the metrics, and what clients pull from. */
  readonly instance: string;
  readonly account: Account | undefined;
  /** Base URL without a slash at its end. */
  readonly pushgateway: string | undefined;
  readonly sentinel: string | undefined;
  readonly concurrency: number;
  /** How long the registry may be silent. */
  readonly timeoutSeconds: number;
  readonly shard: Shard | undefined;
  readonly json: boolean;
}

export const probeHelp = `Usage: regwarden probe [OPTION]...

Asks a registry over HTTP for every repository, every tag, and everything that a tag needs: manifests of nested indexes,
configurations and layers. Each digest is asked for once a repository. Reads only.

Options, each also by the environment variable beside it; the option wins:
  --url URL            REGISTRY_URL         scheme, host and port, like https://registry.example:5050
  --instance NAME      REGISTRY_INSTANCE    what clients call it, HOST:PORT. Default: host and port of the URL
  --pushgateway URL    PUSHGATEWAY          where to put metrics. Default: nowhere
  --sentinel NAME      SENTINEL_REPOSITORY  repository that must be in the catalogue, else another registry answers
  --concurrency N      CONCURRENCY          requests in flight. Default: 16
  --timeout SECONDS    TIMEOUT_SECONDS      how long the registry may send no byte; 1 to 600. Default: 10
  --shard I/N                               only part I of N of the repositories, counted from 0
  --json                                    prints one document (regwarden/probe/v1) instead of text
The account only by the environment: REG_USER, REG_PASS. A CA of one's own by NODE_EXTRA_CA_CERTS, as Node reads it.

Exit status: 0 nothing found, 1 something is broken, 2 wrong usage or configuration, 3 something could not be checked, as
in a registry without any tag and without a sentinel, or the metrics could not be pushed.
`;

const switches = {
  url: "REGISTRY_URL",
  instance: "REGISTRY_INSTANCE",
  pushgateway: "PUSHGATEWAY",
  sentinel: "SENTINEL_REPOSITORY",
  concurrency: "CONCURRENCY",
  timeout: "TIMEOUT_SECONDS",
} as const;

const text = v.optional(v.string());
const optionsSchema = v.object({
  positionals: v.pipe(v.array(v.string()), v.maxLength(0, "probe takes no arguments, only options.")),
  url: text,
  instance: text,
  pushgateway: text,
  sentinel: text,
  concurrency: text,
  timeout: text,
  shard: text,
  json: v.optional(v.boolean(), false),
});

function parseShard(given: string): Shard | undefined {
  const [, index, count] = /^(\d{1,6})\/(\d{1,6})$/.exec(given) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  return shard.index < shard.count ? shard : undefined;
}

const settingsSchema = v.object({
  url: v.pipe(
    v.optional(v.string(), ""),
    v.nonEmpty("REGISTRY_URL is missing."),
    v.check(
      (given) => parseOrigin(given) !== undefined,
      "REGISTRY_URL must be like https://registry.example:5050, without an account or a path.",
    ),
  ),
  instance: text,
  pushgateway: pushgatewayAddress("PUSHGATEWAY"),
  sentinel: text,
  concurrency: concurrency("CONCURRENCY"),
  timeout: timeoutSeconds("TIMEOUT_SECONDS"),
  shard: v.optional(
    v.pipe(
      v.string(),
      v.check((given) => parseShard(given) !== undefined, "--shard must be I/N with I from 0 to N-1."),
      v.transform(parseShard),
    ),
  ),
});

/**
 * The only reader of the environment. No message repeats a password.
 *
 * Errors: E_USAGE for options that do not exist; E_CONFIGURATION with all faults of what was given.
 */
export function parseProbeArguments(
  argv: readonly string[],
  environment: Environment = process.env,
): ProbeSettings {
  const names = [...Object.keys(switches), "shard"];
  const options = Object.fromEntries(names.map((name) => [name, { type: "string" } as const]));
  const all = { ...options, json: { type: "boolean" } } as const;
  const { json, ...given } = parseArguments(argv, all, optionsSchema);
  const chosen = Object.entries(switches).map(([name, variable]) => {
    const option = given[name as keyof typeof switches];
    return [name, optionOrVariable(option, environment[variable])] as const;
  });
  return { ...check({ ...Object.fromEntries(chosen), shard: given.shard }, environment), json };
}

function check(
  given: Readonly<Record<string, string | undefined>>,
  environment: Environment,
): Omit<ProbeSettings, "json"> {
  const parsed = v.safeParse(settingsSchema, given);
  const { account, faults: accountFaults } = readAccount(environment);
  const origin = parseOrigin(given.url ?? "");
  const inClear = account && origin ? privacyFault("REGISTRY_URL", origin) : undefined;
  const faults = [
    ...(parsed.issues ?? []).map(({ message }) => message),
    ...accountFaults,
    ...(inClear === undefined ? [] : [inClear]),
  ];
  if (!parsed.success || !origin || faults.length > 0)
    throw new ProgramError("E_CONFIGURATION", faults.join(" "));
  const { instance = origin.host, pushgateway, sentinel, concurrency, timeout, shard } = parsed.output;
  return {
    origin: origin.origin,
    instance,
    account,
    pushgateway,
    sentinel,
    concurrency,
    timeoutSeconds: timeout,
    shard,
  };
}
