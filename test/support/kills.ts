/**
 * By how much the number of the effect grows at which a program is killed next: every third one, since each kill takes
 * seconds; each one with REGWARDEN_KILLS=all.
 */
export const killStep = process.env.REGWARDEN_KILLS === "all" ? 1 : 3;
