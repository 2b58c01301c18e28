import { isMainThread } from "node:worker_threads";
import { runCommandLine } from "./cli/run.ts";
import { processTerminal } from "./cli/terminal.ts";
import { commands } from "./commands.ts";

// The threads of a scan load this file as well, and must not begin a second run.
if (isMainThread)
  process.exitCode = await runCommandLine(commands, process.argv.slice(2), processTerminal(process));
