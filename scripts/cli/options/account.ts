import { join } from "node:path";
import type { Account } from "../../http/exchange.ts";
import { isLoopback } from "../../http/origin.ts";
import { ProgramError } from "../errors.ts";
import type { Environment } from "./environment.ts";

/** Variables that hold an account: `REG` of the registry that is checked, `FROM` of one that is copied from. */
export type AccountPrefix = "REG" | "FROM";

/** The account that the environment gives, and what is wrong with it. No fault repeats a password. */
export function readAccount(
  environment: Environment,
  prefix: AccountPrefix = "REG",
): { readonly account: Account | undefined; readonly faults: readonly string[] } {
  const { user, password } = {
    user: environment[`${prefix}_USER`] ?? "",
    password: environment[`${prefix}_PASS`] ?? "",
  };
  if (user === "" && password === "") return { account: undefined, faults: [] };
  const faults = [
    ...(user === "" || password === ""
      ? [`${prefix}_USER and ${prefix}_PASS belong together: give both or none.`]
      : []),
    ...(user.includes(":") ? [`${prefix}_USER must not contain a colon.`] : []),
  ];
  return { account: faults.length === 0 ? { user, password } : undefined, faults };
}

/** Where `docker login` leaves accounts. Source: docker/cli, cli/config/config.go. */
export function dockerConfigPath({ DOCKER_CONFIG, HOME = "/" }: Environment): string {
  return join(DOCKER_CONFIG || join(HOME, ".docker"), "config.json");
}

/** Why an account must not be sent to an address: it would go over a network in clear. `name`: of the address. */
export function privacyFault(name: string, { protocol, hostname }: URL): string | undefined {
  if (protocol === "https:" || isLoopback(hostname)) return undefined;
  return `${name} must be https, as the account would go over the network in clear.`;
}

/** For an account that was found when the address was known already. Errors: E_CONFIGURATION. */
export function requirePrivacy(name: string, origin: string, account: Account | undefined): void {
  const fault = account && privacyFault(name, new URL(origin));
  if (fault !== undefined) throw new ProgramError("E_CONFIGURATION", fault);
}
