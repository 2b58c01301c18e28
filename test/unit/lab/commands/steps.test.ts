import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { failureText, runSteps, StepFailure, Steps } from "../../../../lab/commands/steps.ts";
import { LabError } from "../../../../lab/machine/errors.ts";

let logs: string;
beforeEach(() => {
  logs = mkdtempSync(join(tmpdir(), "lab-steps-"));
});
afterEach(() => rmSync(logs, { recursive: true }));

test("a step gets what the steps before it returned, and the values of all are the result", async () => {
  const steps = new Steps()
    .add("host", "Host", async () => ({ address: "127.77.0.1" }))
    .skip("kubernetes", "Kubernetes", "left out")
    .add("images", "Images", async ({ host }) => [`image at ${host.address}`], String);
  expect(await runSteps(steps, logs)).toEqual({
    host: { address: "127.77.0.1" },
    images: ["image at 127.77.0.1"],
  });
});

test("what a step reports is in a log of its own", async () => {
  const steps = new Steps().add("host", "Host", async (_, { reporter }) => reporter?.say("booting"));
  await runSteps(steps, logs);
  expect(readFileSync(join(logs, "host.log"), "utf8")).toMatch(/^\S+Z booting\n$/);
});

test("the first step that fails is the last that runs, and its text has reason, log and hint", async () => {
  const cause = new LabError("E_BUSY", "the port is taken", { hint: "Free the port." });
  const steps = new Steps()
    .add("host", "Host", () => Promise.reject(cause))
    .add("images", "Images", async () => undefined);
  const failure = await runSteps(steps, logs).catch((error: unknown) => error);
  if (!(failure instanceof StepFailure)) throw failure;
  expect(failure.cause).toBe(cause);
  expect(readdirSync(logs)).toEqual(["host.log"]);
  const text = stripVTControlCharacters(failureText(failure));
  expect(text).toContain('"Host" failed: the port is taken');
  expect(text).toContain(`The whole log: ${join(logs, "host.log")}\n  Free the port.`);
});
