import { ProgramError } from "../cli/errors.ts";
import { dockerConfigPath, readAccount, requirePrivacy } from "../cli/options/account.ts";
import type { Environment } from "../cli/options/environment.ts";
import { readDockerConfig } from "../http/docker-config.ts";
import type { Account } from "../http/exchange.ts";
import type { FromAddress } from "./args.ts";

/**
 * The account for each registry to fetch from: FROM_USER and FROM_PASS for the only one, else what `docker login` left.
 * No message repeats a password.
 *
 * Errors: E_CONFIGURATION.
 */
export async function findAccounts(
  from: readonly FromAddress[],
  environment: Environment = process.env,
): Promise<(address: FromAddress) => Account | undefined> {
  if (from.length === 0) return () => undefined;
  const origins = [...new Set(from.map(({ origin }) => origin))];
  const given = readAccount(environment, "FROM");
  const faults = [
    ...given.faults,
    ...(given.account && origins.length > 1
      ? [
          "FROM_USER and FROM_PASS are for one registry, but --from names several: log in to each (docker login) instead.",
        ]
      : []),
  ];
  if (faults.length > 0) throw new ProgramError("E_CONFIGURATION", faults.join(" "));
  const logins = await readDockerConfig(dockerConfigPath(environment), "FROM_USER and FROM_PASS");
  const accounts = new Map<string, Account | undefined>();
  for (const origin of origins) {
    const account = given.account ?? (await logins.accountOf(new URL(origin).host));
    requirePrivacy(`--from ${origin}`, origin, account);
    accounts.set(origin, account);
  }
  return ({ origin }) => accounts.get(origin);
}
