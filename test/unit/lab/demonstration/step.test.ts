import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { runStep, type Step, wrapped } from "../../../../lab/demonstration/step.ts";

async function shown(step: Partial<Step>) {
  const lines: string[] = [];
  const complete = { title: "Title", commands: [], meaning: "Meaning.", run: async () => [], ...step };
  const show = (text: string) => lines.push(stripVTControlCharacters(text));
  return { unexpected: await runStep(complete, 1, show), lines };
}

test("a step shows its number, what a person would type, what was observed and what that means", async () => {
  const run = async () => [
    { text: "works", isExpected: true },
    { text: "fails\nbecause", isExpected: false },
  ];
  const { lines, unexpected } = await shown({ commands: ["skopeo inspect"], run });
  expect(lines).toEqual([
    "\n1. Title",
    "   $ skopeo inspect",
    "   ● works",
    "   ● unexpected: fails",
    "     because",
    "   Meaning.",
  ]);
  expect(unexpected.map(({ text }) => text)).toEqual(["fails\nbecause"]);
});

test("a step that throws is an unexpected result and no error, so that the next steps run", async () => {
  const run = async () => Promise.reject(new Error("no host"));
  expect((await shown({ run })).unexpected).toEqual([{ text: "no host", isExpected: false }]);
});

test("text is wrapped between words", () => {
  expect(wrapped(`${"a".repeat(60)} ${"b".repeat(60)} c`, " ")).toBe(
    ` ${"a".repeat(60)}\n ${"b".repeat(60)} c`,
  );
});
