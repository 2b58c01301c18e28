import { createEffects } from "../../scripts/store-change/effects.ts";
import { moveOut, startRun, undoRun } from "../support/store/store-change.ts";

/**
 * A change of a store that is killed before the effect of a given number, counted from 1: `N move ROOT NAME PATH...`, or
 * `N undo ROOT JOURNAL`.
 */
const [limit, action, root = "", name = "", ...paths] = process.argv.slice(2);
let count = 0;
const effects = createEffects(() => {
  count += 1;
  if (count !== Number(limit)) return;
  process.kill(process.pid, "SIGKILL");
  // The kernel may take a moment to kill, in which nothing more may happen.
  for (;;);
});
if (action === "move") await moveOut(await startRun(root, name, effects), paths);
else await undoRun(root, name, { effects });
