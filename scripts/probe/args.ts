import * as v from "valibot";
import { parseArguments } from "../cli/command.ts";
import { ProgramError } from "../cli/errors.ts";
import type { Account } from "../http/exchange.ts";
import { isLoopback } from "../http/loopback.ts";

/** A part of the repositories, counted from 0. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** What a probe was asked to do. */
export interface ProbeSettings {
  /** Scheme, host and port. */
  readonly origin: string;
  /** The registry's public HOST:PORT: label of the metrics, and what people type to pull. */
  readonly instance: string;
  readonly account: Account | undefined;
  /** Base URL without a slash at its end. */
  readonly pushgateway: string | undefined;
  readonly sentinel: string | undefined;
  readonly concurrency: number;
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
} as const;

type Environment = Readonly<Record<string, string | undefined>>;

const text = v.optional(v.string());
const optionsSchema = v.object({
  positionals: v.pipe(v.array(v.string()), v.maxLength(0, "probe takes no arguments, only options.")),
  url: text,
  instance: text,
  pushgateway: text,
  sentinel: text,
  concurrency: text,
  shard: text,
  json: v.optional(v.boolean(), false),
});

/** An http or https address without an account, query or fragment in it. */
export function plainAddress(given: string): URL | undefined {
  const url = URL.parse(given);
  if (url?.protocol !== "https:" && url?.protocol !== "http:") return undefined;
  return url.username === "" && url.password === "" && url.search === "" && url.hash === "" ? url : undefined;
}

function parseShard(given: string): Shard | undefined {
  const [, index, count] = /^(\d{1,6})\/(\d{1,6})$/.exec(given) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  return shard.index < shard.count ? shard : undefined;
}

const settingsSchema = v.object({
  url: v.pipe(
    v.string(),
    v.nonEmpty("REGISTRY_URL is missing."),
    v.check(
      (given) => plainAddress(given)?.pathname === "/",
      "REGISTRY_URL must be like https://registry.example:5050, without an account or a path.",
    ),
  ),
  instance: v.optional(v.pipe(v.string(), v.nonEmpty())),
  pushgateway: v.optional(
    v.pipe(
      v.string(),
      v.check(
        (given) => plainAddress(given) !== undefined,
        "PUSHGATEWAY must be an http or https address without an account in it.",
      ),
      v.transform((given) => given.replace(/\/+$/, "")),
    ),
  ),
  sentinel: v.optional(v.string()),
  concurrency: v.pipe(
    v.optional(v.string(), "16"),
    v.regex(/^[1-9]\d{0,2}$/, "CONCURRENCY must be a whole number from 1 to 999."),
    v.transform(Number),
  ),
  shard: v.optional(
    v.pipe(
      v.string(),
      v.check((given) => parseShard(given) !== undefined, "--shard must be I/N with I from 0 to N-1."),
      v.transform(parseShard),
    ),
  ),
  user: v.optional(
    v.pipe(
      v.string(),
      v.check((user) => !user.includes(":"), "REG_USER must not contain a colon."),
    ),
  ),
  password: v.optional(v.string()),
});

/**
 * The only place that reads the environment. No message repeats a password.
 *
 * Errors: E_USAGE for options that do not exist; E_CONFIGURATION with all faults of what was given.
 */
export function parseProbeArguments(
  argv: readonly string[],
  environment: Environment = process.env,
): ProbeSettings {
  const names = [...Object.keys(switches), "shard"];
  const options = Object.fromEntries(names.map((name) => [name, { type: "string" } as const]));
  const {
    positionals: _,
    json,
    ...given
  } = parseArguments(argv, { ...options, json: { type: "boolean" } }, optionsSchema);
  const chosen = Object.entries(switches).map(
    ([name, variable]) => [name, given[name as keyof typeof switches] ?? environment[variable]] as const,
  );
  const account = { user: environment.REG_USER, password: environment.REG_PASS };
  // An empty variable is how many tools spell one that is not set.
  const filled = [...chosen, ["shard", given.shard] as const, ...Object.entries(account)].filter(
    ([, value]) => value !== undefined && value !== "",
  );
  return { ...check({ url: "", ...Object.fromEntries(filled) }), json };
}

function check(given: Readonly<Record<string, string | undefined>>): Omit<ProbeSettings, "json"> {
  const parsed = v.safeParse(settingsSchema, given);
  const faults = [...(parsed.issues ?? []).map(({ message }) => message), ...checkAccount(given)];
  if (!parsed.success || faults.length > 0) throw new ProgramError("E_CONFIGURATION", faults.join(" "));
  const { url, instance, pushgateway, sentinel, concurrency, shard, user, password } = parsed.output;
  const { origin, host } = new URL(url);
  const account = user !== undefined && password !== undefined ? { user, password } : undefined;
  return { origin, instance: instance ?? host, account, pushgateway, sentinel, concurrency, shard };
}

function checkAccount({ url, user, password }: Readonly<Record<string, string | undefined>>): string[] {
  if ((user === undefined) !== (password === undefined))
    return ["REG_USER and REG_PASS belong together: give both or none."];
  const address = plainAddress(url ?? "");
  const isInClear = address?.protocol === "http:" && !isLoopback(address.hostname);
  return user !== undefined && isInClear
    ? ["REGISTRY_URL must be https, as the account would go over the network in clear."]
    : [];
}
