import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import automation, { type PulumiFn, type Stack } from "@pulumi/pulumi/automation/index.js";
import { messageOf } from "../provider/errors.ts";
import type { Operation } from "./args.ts";
import { pulumiCommand } from "./cli/pulumi-command.ts";
import { faultOnce } from "./fault-once.ts";
import { fileBackendDirectory, isTornState, removeTornNotes } from "./torn-state.ts";

/** What the engine runs. */
export interface EngineProject {
  readonly program: PulumiFn;
  /** Where Pulumi.yaml is. */
  readonly directory: string;
}

export interface OpenStack {
  readonly stack: Stack;
  /** Of a file backend; undefined for any other. */
  readonly backendDirectory: string | undefined;
}

export class StackError extends Error {
  override readonly name = "StackError";
}

/**
 * Selects the stack. Only `up` makes one that is new, so that a first `up` needs no other command; to all others a name
 * that no stack has is a fault, or a mistyped name would show everything as missing.
 *
 * Errors: StackError when there is no such stack, with the names that there are.
 */
export async function openStack(
  name: string,
  operation: Operation,
  project: EngineProject,
  warn: (text: string) => void,
): Promise<OpenStack> {
  if (operation !== "up") refuseEmptyBackend(name, project.directory);
  const options = {
    workDir: project.directory,
    envVars: { PULUMI_SKIP_UPDATE_CHECK: "true" },
    pulumiCommand: await pulumiCommand(),
    program: faultOnce(project.program),
  };
  const workspace = await automation.LocalWorkspace.create(options);
  const url = process.env.PULUMI_BACKEND_URL || ((await workspace.whoAmI()).url ?? "");
  const backendDirectory = fileBackendDirectory(url, project.directory);
  const open = async () =>
    operation === "up"
      ? await automation.Stack.createOrSelect(name, workspace)
      : await automation.Stack.select(name, workspace);
  try {
    return { stack: await open(), backendDirectory };
  } catch (error) {
    const text = messageOf(error);
    if (error instanceof automation.StackNotFoundError)
      throw noSuchStack(name, url, await workspace.listStacks());
    if (!isTornState(text) || backendDirectory === undefined) throw error;
    if (operation !== "up" && operation !== "destroy") throw tornState(name);
    warn(repairedText(removeTornNotes(backendDirectory), error));
    return { stack: await open(), backendDirectory };
  }
}

/** The CLI makes a new backend of an empty directory, whatever it is asked. */
function refuseEmptyBackend(name: string, projectDirectory: string): void {
  const url = process.env.PULUMI_BACKEND_URL ?? "";
  const directory = fileBackendDirectory(url, projectDirectory);
  if (directory !== undefined && !existsSync(join(directory, ".pulumi"))) throw noSuchStack(name, url, []);
}

function noSuchStack(name: string, url: string, others: readonly { readonly name: string }[]): StackError {
  const names = others.map((each) => each.name).sort();
  const known = names.length === 0 ? "It has none" : `It has ${names.join(", ")}`;
  return new StackError(
    `There is no stack ${name} in the backend ${url.replace(/\/\/[^/@]*@/, "//****@")}. ${known}. ` +
      `If the name is right, check PULUMI_BACKEND_URL; \`npm run up -- --stack ${name}\` makes a new stack.`,
  );
}

function tornState(name: string): StackError {
  return new StackError(
    `An earlier update of ${name} was killed while it wrote a note beside the state, which cannot be read with it. ` +
      `The state is complete: \`npm run up -- --stack ${name}\` removes the note. Nothing was changed.`,
  );
}

function repairedText(removed: readonly string[], cause: unknown): string {
  if (removed.length === 0) throw cause;
  return `An earlier update was killed while it wrote: removed ${removed.join(", ")}; the state is complete.\n`;
}

/** The directory that a project's Pulumi.yaml is in, for programs of this repository. */
export const projectDirectory = resolve(import.meta.dirname, "..");
