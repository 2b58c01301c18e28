import { ProgramError } from "../cli/errors.ts";
import { readDockerConfig } from "../http/docker-config.ts";
import type { Account } from "../http/exchange.ts";
import { isLoopback } from "../http/loopback.ts";
import { dockerConfigPath } from "../verify/args.ts";
import type { FromAddress } from "./args.ts";

type Environment = Readonly<Record<string, string | undefined>>;

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
  const given = accountOf(environment);
  if (given && new Set(from.map(({ origin }) => origin)).size > 1)
    throw new ProgramError(
      "E_CONFIGURATION",
      "FROM_USER and FROM_PASS are for one registry, but --from names several: log in to each (docker login) instead.",
    );
  const logins = await readDockerConfig(dockerConfigPath(environment), "FROM_USER and FROM_PASS");
  const accounts = new Map(
    from.map(({ origin }) => [origin, given ?? logins.accountOf(new URL(origin).host)] as const),
  );
  for (const [origin, account] of accounts) if (account) requirePrivacy(new URL(origin));
  return ({ origin }) => accounts.get(origin);
}

function accountOf({ FROM_USER: user, FROM_PASS: password }: Environment): Account | undefined {
  // An empty variable is how many tools spell one that is not set.
  if (!user && !password) return undefined;
  if (user && password) return { user, password };
  throw new ProgramError("E_CONFIGURATION", "FROM_USER and FROM_PASS belong together: give both or none.");
}

/** The account must not go over a network in clear. */
function requirePrivacy({ protocol, hostname, origin }: URL): void {
  if (protocol === "https:" || isLoopback(hostname)) return;
  const message = `--from ${origin} must be https, as the account would go over the network in clear.`;
  throw new ProgramError("E_CONFIGURATION", message);
}
