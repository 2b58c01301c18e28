import { processTerminal, type Terminal } from "../../scripts/cli/terminal.ts";
import { runGc } from "../../scripts/gc/main.ts";
import { createEffects } from "../../scripts/store-change/effects.ts";

/**
 * A gc that gets a signal before the effect of a given number, counted from 1: `SIGNAL N ARGUMENT...`. A watch ends after it
 * has put something back.
 */
const [signal, limit, ...argv] = process.argv.slice(2);
let count = 0;
const effects = createEffects(() => {
  count += 1;
  if (count !== Number(limit)) return;
  process.kill(process.pid, signal);
  // The kernel may take a moment to kill, in which nothing more may happen.
  while (signal === "SIGKILL");
});
const real = processTerminal(process);
const terminal: Terminal = {
  ...real,
  out: (text) => {
    real.out(text);
    if (argv.includes("--watch") && text.startsWith("Put back")) process.kill(process.pid, "SIGTERM");
  },
};
process.exitCode = await runGc(argv, terminal, effects);
