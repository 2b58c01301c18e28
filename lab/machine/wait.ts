import { LabError } from "./errors.ts";

/** Checks a condition again and again until it holds. Errors: E_TIMEOUT, naming what was waited for. */
export async function waitUntil(
  what: string,
  limitSeconds: number,
  condition: () => Promise<boolean>,
  pauseMilliseconds = 250,
): Promise<void> {
  const end = performance.now() + limitSeconds * 1000;
  while (!(await condition())) {
    if (performance.now() > end)
      throw new LabError("E_TIMEOUT", `${what}: not within ${limitSeconds} seconds`);
    await new Promise((resume) => setTimeout(resume, pauseMilliseconds));
  }
}
