import { processTerminal } from "../../scripts/cli/terminal.ts";
import { runRetain } from "../../scripts/retain/main.ts";
import { createEffects } from "../../scripts/store-change/effects.ts";

/** A retention that gets a signal before the effect of a given number, counted from 1: `SIGNAL N ARGUMENT...`. */
const [signal, limit, ...argv] = process.argv.slice(2);
let count = 0;
const effects = createEffects(() => {
  count += 1;
  if (count !== Number(limit)) return;
  process.kill(process.pid, signal);
  // The kernel may take a moment to kill, in which nothing more may happen.
  while (signal === "SIGKILL");
});
process.exitCode = await runRetain(argv, processTerminal(process), effects);
