import registryStack from "../index.ts";
import { UsageError, usage } from "./args.ts";
import { terminal } from "./display.ts";
import { explain } from "./explain.ts";
import { projectDirectory } from "./open-stack.ts";
import { runEngine } from "./run.ts";

try {
  const project = { program: registryStack, directory: projectDirectory };
  process.exitCode = await runEngine(process.argv.slice(2), project, terminal);
} catch (error) {
  const isUsage = error instanceof UsageError;
  terminal.writeError(`${explain(error)}\n${isUsage ? `\n${usage}` : ""}`);
  process.exitCode = isUsage ? 2 : 1;
}
