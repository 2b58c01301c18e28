import { dnsConnections } from "../../index.ts";
import { UsageError } from "../args.ts";
import { terminal } from "../display.ts";
import { explain } from "../explain.ts";
import { projectDirectory } from "../open-stack.ts";
import { dnsUsage } from "./args.ts";
import { runDns } from "./run.ts";

try {
  const project = { connections: dnsConnections, directory: projectDirectory };
  process.exitCode = await runDns(process.argv.slice(2), project, terminal);
} catch (error) {
  const isUsage = error instanceof UsageError;
  terminal.writeError(`${explain(error)}\n${isUsage ? `\n${dnsUsage}` : ""}`);
  process.exitCode = isUsage ? 2 : 3;
}
