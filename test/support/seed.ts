import fc from "fast-check";

/**
 * Whether the tests pass depends on the commit alone: what is random in them is the same in each run. REGWARDEN_SEED takes
 * other values: a number, as a failure prints it, or `new` for any.
 */
const seed = process.env.REGWARDEN_SEED ?? "1";
if (seed !== "new") fc.configureGlobal({ seed: Number(seed) });
