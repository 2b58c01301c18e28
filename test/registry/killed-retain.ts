import { processTerminal } from "../../scripts/cli/terminal.ts";
import { runRetain } from "../../scripts/retain/main.ts";
import { signalledEffects } from "../support/signalled-effects.ts";

/** A retention that gets a signal before the effect of a given number, counted from 1: `SIGNAL N ARGUMENT...`. */
const [signal, limit, ...argv] = process.argv.slice(2);
process.exitCode = await runRetain(argv, processTerminal(process), signalledEffects(signal, limit));
