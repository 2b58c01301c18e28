import { isMainThread } from "node:worker_threads";
import { commands } from "./cli/commands.ts";
import { runCommandLine } from "./cli/run.ts";
import { processTerminal } from "./cli/terminal.ts";

// The threads of a scan load this file as well, and must not begin a second run.
if (isMainThread)
  process.exitCode = await runCommandLine(commands, process.argv.slice(2), processTerminal(process));
