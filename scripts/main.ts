import { isMainThread } from "node:worker_threads";
import { runCommandLine } from "./cli/run.ts";
import { processTerminal } from "./cli/terminal.ts";

// The threads of a scan load this file as well, and must not begin a second run.
if (isMainThread) process.exitCode = await runCommandLine(process.argv.slice(2), processTerminal(process));
