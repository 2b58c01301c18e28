import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { UsageError } from "./args.ts";

/** Where the stack is and how its engine runs. */
export interface StackEnvironment {
  readonly stack: string;
  /** Added to this process's environment for the engine: backend, passphrase file, toolchain. */
  readonly variables: Readonly<Record<string, string>>;
}

const labFile = v.record(v.string(), v.string());

/**
 * The named stack, else PULUMI_STACK, else the lab's. A stack with the name of a lab instance of this clone runs in
 * that lab's environment (`.lab/NAME/environment.json`, written by `npm run lab`); any other in the caller's.
 *
 * Errors: UsageError when no stack is named and no lab is here.
 */
export function stackEnvironment(
  projectDirectory: string,
  named: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): StackEnvironment {
  const stack =
    named ?? environment.PULUMI_STACK ?? (existsSync(labPath(projectDirectory, "lab")) ? "lab" : undefined);
  if (stack === undefined) {
    throw new UsageError(
      "Which stack? Give --stack NAME or set PULUMI_STACK; or start the lab with `npm run lab`.",
    );
  }
  const path = labPath(projectDirectory, stack);
  const variables = existsSync(path) ? v.parse(labFile, JSON.parse(readFileSync(path, "utf8"))) : {};
  return { stack, variables };
}

function labPath(projectDirectory: string, instance: string): string {
  return join(projectDirectory, ".lab", instance, "environment.json");
}
