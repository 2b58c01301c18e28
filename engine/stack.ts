import type { EngineEvent, Stack } from "@pulumi/pulumi/automation/index.js";
import { messageOf } from "../provider/errors.ts";
import type { Operation } from "./args.ts";
import { changeOf, doneIn, type ResourceChange } from "./changes.ts";
import { noteRuns, runsDirectory } from "./cli/pulumi-command.ts";
import { type Deferred, deferredIn, eachOnce } from "./deferred.ts";
import type { Display } from "./display.ts";
import { type Unmanaged, unmanagedIn } from "./drift/unmanaged.ts";
import type { Interruption } from "./interruption.ts";
import { removeEndedNotes } from "./lock/run-notes.ts";
import { isLocked } from "./lock/stack-lock.ts";
import { whenUnlocked } from "./lock/when-unlocked.ts";
import { type StackPart, targetsOf } from "./only.ts";
import type { OpenStack } from "./open-stack.ts";

/** What an operation came to. */
export interface Outcome {
  /** The engine's own exit code. Source: pulumi sdk/go/common/util/cmdutil/exit_codes.go (7: changes where none were expected). */
  readonly exitCode: number;
  /** Announced: planned by a preview, begun by an update. */
  readonly changes: readonly ResourceChange[];
  readonly done: readonly ResourceChange[];
  /** What the engine reported as errors, one message each. */
  readonly errors: readonly string[];
  /** What the refresh read of the host beside what is declared. */
  readonly unmanaged: Unmanaged;
  /** Hosts that could not be reached, and that the rest did not wait for. */
  readonly deferred: readonly Deferred[];
}

export interface OperationOptions {
  readonly display: Display;
  readonly interruption: Interruption;
  /** The part of the stack that is read and changed; undefined for all of it. */
  readonly only: StackPart | undefined;
}

/** Reads and compares; takes no lock and writes nothing. */
export async function runPreview(
  { stack }: OpenStack,
  expectsNoChanges: boolean,
  options: OperationOptions,
): Promise<Outcome> {
  return await recorded(options, async (settings) => {
    await stack.preview({ ...settings, diff: true, expectNoChanges: expectsNoChanges });
  });
}

export interface ChangeOptions extends OperationOptions {
  /** How long another run's lock is waited for. */
  readonly lockWaitMilliseconds: number;
  /** Whether what does not depend on a failed step goes on. */
  readonly continueOnError: boolean;
}

/** Applies the program, or takes away what it has made. Errors: StackLockedError. */
export async function runChange(
  open: OpenStack,
  operation: Extract<Operation, "up" | "destroy">,
  options: ChangeOptions,
): Promise<Outcome> {
  const { stack, backendDirectory } = open;
  const { display, interruption, lockWaitMilliseconds, continueOnError } = options;
  noteRuns(stack.name);
  const attempt = () =>
    recorded(options, async (settings, sawPending) => {
      if (operation === "destroy") await stack.destroy({ ...settings, continueOnError });
      else await stack.up({ ...settings, continueOnError, suppressOutputs: true });
      if (operation === "up" && sawPending()) await forgetPending(stack, interruption.cli);
    });
  const outcome = await whenUnlocked(attempt, {
    run: `${operation} of stack ${stack.name}`,
    backendDirectory,
    runsDirectory: runsDirectory(stack.name),
    waitMilliseconds: lockWaitMilliseconds,
    clearCommand: clearCommand(stack.name),
    signal: interruption.requested,
    say: display.writeError,
  });
  removeEndedNotes(runsDirectory(stack.name));
  return outcome;
}

type Settings = ReturnType<typeof settingsOf>;

/** Runs the CLI and gathers what it announces. Errors: throws when the stack is locked, or the CLI gives no exit code. */
async function recorded(
  options: OperationOptions,
  run: (settings: Settings, sawPending: () => boolean) => Promise<void>,
): Promise<Outcome> {
  const changes: ResourceChange[] = [];
  const done: ResourceChange[] = [];
  const errors: string[] = [];
  const deferred: Deferred[] = [];
  let unmanaged: Unmanaged;
  let hasPending = false;
  const onOutput = (text: string) => {
    hasPending ||= text.includes("pending operations");
    options.interruption.noteOutput(text);
    options.display.write(text);
  };
  const onEvent = (event: EngineEvent) => {
    const [change, end] = [changeOf(event), doneIn(event)];
    if (change) changes.push(change);
    if (end) done.push(end);
    unmanaged = unmanagedIn(event) ?? unmanaged;
    deferred.push(...[deferredIn(event)].filter((each) => each !== undefined));
    const { severity, message = "" } = event.diagnosticEvent ?? {};
    if (severity === "error") errors.push(withoutColors(message));
  };
  try {
    options.interruption.requested.throwIfAborted();
    await run(settingsOf(options, onOutput, onEvent), () => hasPending);
    return { exitCode: 0, changes, done, errors, unmanaged, deferred: eachOnce(deferred) };
  } catch (error) {
    const text = messageOf(error);
    const [, code, signal] =
      /^.*Command (?:failed with exit code (\d+)|was killed with (SIG\w+))/m.exec(text) ?? [];
    if ((code === undefined && signal === undefined) || isLocked(text)) throw error;
    if (signal !== undefined) options.display.writeError(`The Pulumi CLI was killed (${signal}).\n`);
    return { exitCode: Number(code ?? 1), changes, done, errors, unmanaged, deferred: eachOnce(deferred) };
  }
}

function settingsOf(
  { display, interruption, only }: OperationOptions,
  onOutput: (text: string) => void,
  onEvent: (event: EngineEvent) => void,
) {
  return {
    color: display.color,
    onOutput,
    // The refusal because of a lock is waited out, and reported once where that does not help.
    onError: (text: string) => {
      if (!isLocked(text)) display.writeError(text);
    },
    onEvent,
    signal: interruption.cli,
    refresh: true,
    // The refresh then uses the connection that the program gives, not the one in the state: keys may have changed.
    runProgram: true,
    ...(only === undefined ? {} : { target: targetsOf(only) }),
  };
}

/**
 * Creations that a killed update left undecided would be warned of for ever. The update that has just succeeded did
 * them again, which with each of our resources is the same as the first time: none is made twice.
 */
async function forgetPending(stack: Stack, signal: AbortSignal): Promise<void> {
  await stack.refresh({ clearPendingCreates: true, runProgram: true, signal });
}

/** Events keep the engine's own marks of colours. Source: pulumi sdk/go/common/diag/colors/colors.go. */
function withoutColors(text: string): string {
  return text.replaceAll(/<\{%.*?%\}>/g, "");
}

/** Clears every lock of a stack, of any holder: for a person to type. An address with an account in it is not repeated. */
function clearCommand(stack: string): string {
  const backend = process.env.PULUMI_BACKEND_URL ?? "";
  const where = /^$|\/\/[^/]*@/.test(backend) ? "" : `PULUMI_BACKEND_URL='${backend}' `;
  return `${where}npx pulumi cancel --yes --stack ${stack}`;
}
