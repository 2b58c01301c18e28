import { hostname } from "node:os";
import { resolve } from "node:path";
import automation, { type EngineEvent, type PulumiFn, type Stack } from "@pulumi/pulumi/automation/index.js";
import type { Operation } from "./args.ts";
import { changeOf, type ResourceChange } from "./changes.ts";
import { isProcessRunning, isStaleLock } from "./stale-lock.ts";
import { fileBackendDirectory, isTornState, removeTornNotes } from "./torn-state.ts";

export const projectDirectory = resolve(import.meta.dirname, "..");

/** What an operation came to. */
export interface Outcome {
  /** The engine's own exit code. Source: pulumi sdk/go/common/util/cmdutil/exit_codes.go (7: changes where none were expected). */
  readonly exitCode: number;
  readonly changes: readonly ResourceChange[];
  /** What the engine reported as errors, one message each. */
  readonly errors: readonly string[];
}

export interface Display {
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  readonly color: "always" | "never";
}

/** Selects the stack; one that is new is made, so that a first `up` needs no other command. */
export async function openStack(stack: string, program: PulumiFn, display: Display): Promise<Stack> {
  const options = { workDir: projectDirectory, envVars: { PULUMI_SKIP_UPDATE_CHECK: "true" } };
  const open = () =>
    automation.LocalWorkspace.createOrSelectStack(
      { stackName: stack, projectName: "regwarden", program },
      options,
    );
  try {
    return await open();
  } catch (error) {
    if (!isTornState(messageOf(error))) throw error;
    const { url = "" } = await (await automation.LocalWorkspace.create(options)).whoAmI();
    const backend = fileBackendDirectory(url, projectDirectory);
    const removed = backend === undefined ? [] : removeTornNotes(backend);
    if (removed.length === 0) throw error;
    display.writeError(
      `An earlier update was killed while it wrote: removed ${removed.join(", ")}; the state is complete.\n`,
    );
    return await open();
  }
}

/** Runs one operation. A lock that a killed update of this machine left behind is removed once. */
export async function runOperation(stack: Stack, operation: Operation, display: Display): Promise<Outcome> {
  try {
    return await attempt(stack, operation, display);
  } catch (error) {
    if (!isStaleLock(messageOf(error), hostname(), isProcessRunning)) throw error;
    display.writeError("An earlier update of this machine was killed and left its lock: removing it.\n");
    await stack.cancel();
    return await attempt(stack, operation, display);
  }
}

async function attempt(stack: Stack, operation: Operation, display: Display): Promise<Outcome> {
  const changes: ResourceChange[] = [];
  const errors: string[] = [];
  let sawPending = false;
  const options = {
    color: display.color,
    onOutput: (text: string) => {
      sawPending ||= text.includes("pending operations");
      display.write(text);
    },
    onError: display.writeError,
    onEvent: (event: EngineEvent) => {
      const change = changeOf(event);
      if (change) changes.push(change);
      const { severity, message = "" } = event.diagnosticEvent ?? {};
      if (severity === "error") errors.push(withoutColors(message));
    },
    refresh: true,
    // The refresh then uses the connection that the program gives, not the one in the state: keys may have changed.
    runProgram: true,
  };
  try {
    if (operation === "up") await stack.up({ ...options, suppressOutputs: true });
    else if (operation === "destroy") await stack.destroy(options);
    else await stack.preview({ ...options, diff: true, expectNoChanges: operation === "drift" });
    if (operation === "up" && sawPending) await forgetPending(stack);
    return { exitCode: 0, changes, errors };
  } catch (error) {
    const exitCode = /exit code (\d+)/.exec(messageOf(error))?.[1];
    if (exitCode === undefined || messageOf(error).includes("currently locked")) throw error;
    return { exitCode: Number(exitCode), changes, errors };
  }
}

/**
 * Creations that a killed update left undecided would be warned of for ever. The update that has just succeeded did
 * them again, which with each of our resources is the same as the first time: none is made twice.
 */
async function forgetPending(stack: Stack): Promise<void> {
  await stack.refresh({ clearPendingCreates: true, runProgram: true });
}

/** Events keep the engine's own marks of colours. Source: pulumi sdk/go/common/diag/colors/colors.go. */
function withoutColors(text: string): string {
  return text.replaceAll(/<\{%.*?%\}>/g, "");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
