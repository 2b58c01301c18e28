import { signalledEffects } from "../support/signalled-effects.ts";
import { moveOut, startRun, undoRun } from "../support/store/store-change.ts";

/**
 * A change of a store that gets a signal before the effect of a given number, counted from 1: `SIGNAL N move ROOT NAME PATH...`,
 * or `SIGNAL N undo ROOT JOURNAL`.
 */
const [signal, limit, action, root = "", name = "", ...paths] = process.argv.slice(2);
const effects = signalledEffects(signal, limit);
if (action === "move") await moveOut(await startRun(root, name, effects), paths);
else await undoRun(root, name, { effects });
