import { parseEngineArgs, reportTargets, usage } from "./args.ts";
import { changeStack } from "./change-stack.ts";
import type { Display } from "./display.ts";
import { drift } from "./drift/drift.ts";
import { stackEnvironment } from "./environment.ts";
import { Interruption } from "./interruption.ts";
import type { EngineProject } from "./open-stack.ts";
import { preview } from "./preview.ts";
import { applyStackVariables } from "./stack-variables.ts";

/** What every operation needs. */
export interface Run {
  /** Name of the stack. */
  readonly stack: string;
  readonly project: EngineProject;
  readonly display: Display;
  readonly interruption: Interruption;
}

/** Runs a command line of the engine on a project. Returns the exit code. Errors: UsageError, StackError, the CLI's. */
export async function runEngine(
  argv: readonly string[],
  project: EngineProject,
  display: Display,
): Promise<number> {
  const args = parseEngineArgs(argv);
  if (args === "help") {
    display.write(usage);
    return 0;
  }
  applyStackVariables(process.env);
  const { stack, variables } = stackEnvironment(project.directory, args.stack, process.env);
  // Into this process's own environment: the Automation API finds the CLI before it reads any other.
  Object.assign(process.env, variables);
  const run: Run = { stack, project, display, interruption: new Interruption() };
  if (args.operation === "preview") return await preview(run, args);
  if (args.operation === "drift") return await drift(run, reportTargets(args, process.env), args);
  return await changeStack(run, args.operation, args);
}
