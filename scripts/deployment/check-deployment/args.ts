import * as v from "valibot";
import { onePositional, parseArguments } from "../../cli/command.ts";

export const checkDeploymentHelp = `Usage: regwarden check-deployment CONFIG < PASSWORD

Asserts from outside that what was deployed does its work: the private registry asks for an account and is the one that
holds the sentinel, the caches answer, the user interface is closed to strangers, and the scan report is complete and fresh.
All assertions run, whatever fails. CONFIG is the deployment's JSON file; the password is read from standard input.
Services that were just restarted are waited for, up to 30 s.

Exit status: 0 all hold, 1 one does not, 2 wrong usage or configuration, 3 could not check: no service answered.
`;

/** Errors: E_USAGE. */
export function parseCheckDeploymentArguments(argv: readonly string[]): { readonly configPath: string } {
  const { positionals } = parseArguments(argv, {}, v.object({ positionals: onePositional("CONFIG") }));
  return { configPath: positionals };
}
