import { text } from "node:stream/consumers";
import { withStoreLocks } from "../../../scripts/store-change/store-lock.ts";

/** Holds the lock of a store until standard input ends. Prints `held`, or why it was not taken. */
const [store = ""] = process.argv.slice(2);
const say = (line: string) => void process.stdout.write(`${line}\n`);
const work = async () => {
  say("held");
  await text(process.stdin);
};
await withStoreLocks([store], work, { patienceMs: 0 }).catch((error: Error) => say(error.message));
