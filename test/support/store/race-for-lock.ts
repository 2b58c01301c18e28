import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { ProgramError } from "../../../scripts/cli/errors.ts";
import { withStoreLocks } from "../../../scripts/store-change/store-lock.ts";

/** Takes the lock of a store as often as given, and prints how often it came and how often another process was inside. */
const [store = "", rounds = "0"] = process.argv.slice(2);
const inside = join(store, "inside");
const tally = { taken: 0, shared: 0 };
while (tally.taken < Number(rounds))
  await withStoreLocks([store], async () => {
    tally.taken += 1;
    try {
      mkdirSync(inside);
      rmdirSync(inside);
    } catch {
      tally.shared += 1;
    }
  }).catch((error: unknown) => {
    if (!(error instanceof ProgramError && error.code === "E_STORE_LOCKED")) throw error;
  });
process.stdout.write(`${JSON.stringify(tally)}\n`);
