import { runCommandLine } from "./cli/run.ts";
import { processTerminal } from "./cli/terminal.ts";
import { inUseCommand } from "./in-use/main.ts";
import { probeCommand } from "./probe/main.ts";

/* The programs as pods have them: those that ask the registry's API, and none that reads or writes a store. */

const commands = [probeCommand, inUseCommand];
process.exitCode = await runCommandLine(commands, process.argv.slice(2), processTerminal(process));
