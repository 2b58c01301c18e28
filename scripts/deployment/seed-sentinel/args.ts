import * as v from "valibot";
import { onePositional, parseArguments } from "../../cli/command.ts";

export const seedSentinelHelp = `Usage: regwarden seed-sentinel CONFIG < PASSWORD

Puts the sentinel image into the private registry, unless it is there already. The deployment check then knows the
registry by it. CONFIG is the deployment's JSON file; the account's password is read from standard input.

Exit status: 0 it is there, 1 the registry refuses it or has another image under the tag, 2 wrong usage or
configuration, 3 the registry does not answer.
`;

/** Errors: E_USAGE. */
export function parseSeedSentinelArguments(argv: readonly string[]): { readonly configPath: string } {
  const { positionals } = parseArguments(argv, {}, v.object({ positionals: onePositional("CONFIG") }));
  return { configPath: positionals };
}
