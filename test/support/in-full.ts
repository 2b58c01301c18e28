import { test } from "vitest";

/** Whether the lab is tested in full, with REGWARDEN_E2E_FULL=1: each change alone, and a kill at several moments. */
export const isInFull = process.env.REGWARDEN_E2E_FULL === "1";

/** What takes minutes in the lab, and of which a shorter test, here or on the test host, shows the same. */
export const testInFull = test.runIf(isInFull);
