import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { reasonOf } from "../../../../lab/incident/client-view.ts";
import { collected } from "../../../../lab/incident/damage.ts";
import { type Act, fact, playAct, wrapped } from "../../../../lab/incident/incident-step.ts";
import { logExcerpt, needsExcerpt } from "../../../../lab/incident/incident-steps.ts";

async function told(act: Partial<Act>) {
  const lines: string[] = [];
  const whole = { title: "Title", commands: [], meaning: "Meaning.", play: async () => [], ...act };
  const differences = await playAct(whole, 1, (text) => lines.push(stripVTControlCharacters(text)));
  return { lines, differences };
}

test("an act tells its number, what is typed, what happened and what that means", async () => {
  const play = async () => [fact("works", true), fact("fails\nbecause", false)];
  const { lines, differences } = await told({ commands: ["skopeo inspect"], play });
  expect(lines).toEqual([
    "\n1. Title",
    "   $ skopeo inspect",
    "   ● works",
    "   ● not as told: fails",
    "     because",
    "   Meaning.",
  ]);
  expect(differences.map(({ text }) => text)).toEqual(["fails\nbecause"]);
});

test("an act that cannot be played is a difference, and the story goes on", async () => {
  const play = async () => Promise.reject(new Error("no host"));
  expect((await told({ play })).differences).toEqual([{ text: "no host", isAsTold: false }]);
});

test("skopeo's last line is shortened to its reason", () => {
  const digest = "d".repeat(64);
  const reading = `reading manifest sha256:${digest} in r:1/i: manifest unknown: manifest unknown`;
  const line = `time="2026-11-21T00:00:00Z" level=fatal msg="copying \\"x\\": ${reading}"`;
  expect(reasonOf(`Getting signatures\n${line}\n`)).toBe(
    "reading manifest sha256:dddddddddddd... in r:1/i: manifest unknown",
  );
  expect(reasonOf("connection refused")).toBe("connection refused");
});

test("what a collection deletes is counted in its output", () => {
  const output = "infra-ci\nmanifest eligible for deletion: sha256:a\nblob eligible for deletion: sha256:b\n";
  expect(collected(`${output}blob eligible for deletion: sha256:c\n`)).toEqual({ manifests: 1, blobs: 2 });
});

test("of a long log the screen has the head, the first broken things and the sum", () => {
  const log = "r: 2 tags\n\n  critical\n    - one\n      next: x\n    - two\n    - three\n\n3 broken.\n";
  expect(logExcerpt(log)).toBe("r: 2 tags\n- one\n- two\n3 broken.");
  expect(logExcerpt("Nothing found.\n")).toBe("Nothing found.");
});

test("of a look at the images in use the screen has who cannot start, or that nobody is hit", () => {
  const broken =
    "  - r/i:1 is broken: gone. Deployment ci/runner cannot start a new pod.\n    next: x\n1 broken.\n";
  expect(needsExcerpt(`r: 1 images\n${broken}`)).toBe("Deployment ci/runner cannot start a new pod");
  expect(needsExcerpt("r: 1 images\nNothing found.\n")).toBe("Nothing found.");
});

test("text is wrapped between words", () => {
  expect(wrapped(`${"a".repeat(60)} ${"b".repeat(60)} c`, " ")).toBe(
    ` ${"a".repeat(60)}\n ${"b".repeat(60)} c`,
  );
});
