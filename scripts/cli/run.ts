import { type ExitCode, exitCodes } from "../../contract/exit-codes.ts";
import packageJson from "../../package.json" with { type: "json" };
import type { Command } from "./command.ts";
import { ProgramError } from "./errors.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Runs one command line, without the program's name, by one of these commands, and returns the exit status.
 *
 * Errors: none; every fault is printed on standard error. An internal error ends as "could not check", never as fine.
 */
export async function runCommandLine(
  commands: readonly Command[],
  argv: readonly string[],
  terminal: Terminal,
): Promise<ExitCode> {
  const [first, ...rest] = argv;
  if (first === "--help" || first === "-h") return say(terminal, overview(commands));
  if (first === "--version") return say(terminal, `regwarden ${packageJson.version}\n`);
  const command = commands.find(({ name }) => name === first);
  if (!command) return refuse(terminal, first, commands);
  if (rest.includes("--help") || rest.includes("-h")) return say(terminal, command.help);
  try {
    return await command.run(rest, terminal);
  } catch (error) {
    return reportFault(command, error, terminal);
  }
}

function say(terminal: Terminal, text: string): ExitCode {
  terminal.out(text);
  return exitCodes.clean;
}

function refuse(terminal: Terminal, word: string | undefined, commands: readonly Command[]): ExitCode {
  if (word === undefined) terminal.err("regwarden: no command given.\n");
  else if (word.startsWith("-")) terminal.err(`regwarden: unknown option ${word}.\n`);
  else terminal.err(`regwarden: unknown command ${word}.\n`);
  terminal.err(`Commands: ${commands.map(({ name }) => name).join(", ")}. Try: regwarden --help\n`);
  return exitCodes.usage;
}

function reportFault(command: Command, error: unknown, terminal: Terminal): ExitCode {
  const who = `regwarden ${command.name}`;
  if (!(error instanceof ProgramError)) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    terminal.err(`${who}: internal error; the result is unknown.\n${detail}\n`);
    return exitCodes.couldNotCheck;
  }
  terminal.err(`${who}: ${error.message}\n`);
  if (error.code === "E_USAGE") terminal.err(`Try: ${who} --help\n`);
  return error.exitCode;
}

function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `Usage: regwarden COMMAND [OPTION]...

Commands:
${lines.join("\n")}

Options:
  --help     this text, or after a command its own
  --version  the version

Exit status: 0 clean or done, 1 findings, 2 usage or configuration, 3 could not check.
`;
}
