import { type ParseArgsConfig, parseArgs } from "node:util";
import * as v from "valibot";
import type { ExitCode } from "../../contract/exit-codes.ts";
import { describeError, ProgramError } from "./errors.ts";
import type { Terminal } from "./terminal.ts";

/** One command of the program: its folder's `main.ts` exports it. */
export interface Command {
  readonly name: string;
  /** Half a line for the overview. */
  readonly summary: string;
  /** All that `--help` prints. */
  readonly help: string;
  readonly run: (argv: readonly string[], terminal: Terminal) => Promise<ExitCode>;
}

/**
 * A command's arguments, checked: `schema` gets `{ ...options, positionals }`.
 *
 * Errors: E_USAGE for an unknown option, a missing value, or what the schema refuses; all of its faults at once.
 */
export function parseArguments<TSchema extends v.GenericSchema>(
  argv: readonly string[],
  options: NonNullable<ParseArgsConfig["options"]>,
  schema: TSchema,
): v.InferOutput<TSchema> {
  const parsed = v.safeParse(schema, splitArguments(argv, options));
  if (parsed.success) return parsed.output;
  throw new ProgramError("E_USAGE", parsed.issues.map(({ message }) => message).join(" "));
}

function splitArguments(argv: readonly string[], options: NonNullable<ParseArgsConfig["options"]>): unknown {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options,
      allowPositionals: true,
      strict: true,
    });
    return { ...values, positionals };
  } catch (cause) {
    throw new ProgramError("E_USAGE", describeError(cause), { cause });
  }
}

/** Schema of exactly one positional argument, which `name` stands for in the usage text. */
export function onePositional(name: string) {
  return v.pipe(
    v.array(v.string()),
    v.check((given) => given.length > 0, `${name} is missing.`),
    v.check(
      (given) => given.length < 2,
      ({ input }) => `One ${name} is expected, got ${input.join(" ")}.`,
    ),
    v.check((given) => given[0] !== "", `${name} must not be empty.`),
    v.transform(([only]) => only ?? ""),
  );
}
