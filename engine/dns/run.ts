import { dnsPaths, vmName } from "../../contract/dns.ts";
import { isUnreached } from "../../provider/errors.ts";
import { parseConnection } from "../../provider/ssh/connection-config.ts";
import { SshHost } from "../../provider/ssh/host.ts";
import type { Display } from "../display.ts";
import { stackEnvironment } from "../environment.ts";
import { applyStackVariables } from "../stack-variables.ts";
import { chosenHost, dnsUsage, parseDnsArgs } from "./args.ts";
import { type ConnectionsProgram, readConnections } from "./connections.ts";

const couldNotTry = 3;
const commandNotFound = 127;

/** Any account but root becomes root by sudo; the exit code is the command's own. */
const asRootScript = `if [ "$(id -u)" = 0 ]; then exec "$@"; else exec sudo -n -- "$@"; fi`;

export interface DnsProject {
  readonly connections: ConnectionsProgram;
  readonly directory: string;
}

/** Runs the host's own command about its name servers. Returns its exit code. Errors: UsageError, the CLI's. */
export async function runDns(
  argv: readonly string[],
  project: DnsProject,
  display: Display,
): Promise<number> {
  const args = parseDnsArgs(argv);
  if (args === "help") {
    display.write(dnsUsage);
    return 0;
  }
  applyStackVariables(process.env);
  const { stack, variables } = stackEnvironment(project.directory, args.stack, process.env);
  Object.assign(process.env, variables);
  const connections = await readConnections(stack, project.directory, project.connections);
  const name = chosenHost(args.host, Object.keys(connections), vmName);
  const host = new SshHost(parseConnection(connections[name]));
  try {
    const words = [dnsPaths.command, args.action, ...(args.name === undefined ? [] : [args.name])];
    const action = `${args.action} the name servers of ${name}`;
    const { exitCode, stdout, stderr } = await host.executeScript(asRootScript, words, { action });
    if (exitCode === commandNotFound) {
      display.writeError(
        `${dnsPaths.command} is not on ${name} yet: \`npm run up -- --stack ${stack}\` puts it there.\n`,
      );
      return couldNotTry;
    }
    display.write(stdout.toString("utf8"));
    display.writeError(stderr);
    if (args.action === "rollback" && exitCode === 0) await assertReachable(host, name, display);
    return exitCode;
  } catch (error) {
    if (!isUnreached(error)) throw error;
    display.writeError(`${error.message}\n`);
    return couldNotTry;
  } finally {
    await host.close();
  }
}

/** After a change of the network a connection that stands proves little: a new one is made. */
async function assertReachable(host: SshHost, name: string, display: Display): Promise<void> {
  const fresh = host.anew();
  try {
    await fresh.execute("true", { action: "connect anew" });
    display.write(`A new connection to ${name} works.\n`);
  } finally {
    await fresh.close();
  }
}
