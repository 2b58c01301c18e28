import { processTerminal } from "../../scripts/cli/terminal.ts";
import { runRepair } from "../../scripts/repair/main.ts";
import { signalledEffects } from "../support/signalled-effects.ts";

/** A repair that gets a signal before the effect of a given number, counted from 1: `SIGNAL N ARGUMENT...`. */
const [signal, limit, ...argv] = process.argv.slice(2);
process.exitCode = await runRepair(argv, processTerminal(process), signalledEffects(signal, limit));
