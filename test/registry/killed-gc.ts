import { processTerminal, type Terminal } from "../../scripts/cli/terminal.ts";
import { runGc } from "../../scripts/gc/main.ts";
import { signalledEffects } from "../support/signalled-effects.ts";

/**
 * A gc that gets a signal before the effect of a given number, counted from 1: `SIGNAL N ARGUMENT...`. A watch ends after it
 * has put something back.
 */
const [signal, limit, ...argv] = process.argv.slice(2);
const real = processTerminal(process);
const terminal: Terminal = {
  ...real,
  out: (text) => {
    real.out(text);
    if (argv.includes("--watch") && text.startsWith("Put back")) process.kill(process.pid, "SIGTERM");
  },
};
process.exitCode = await runGc(argv, terminal, signalledEffects(signal, limit));
