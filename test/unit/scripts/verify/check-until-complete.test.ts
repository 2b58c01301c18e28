import { describe, expect, test } from "vitest";
import type { Finding } from "../../../../contract/finding.ts";
import { parseVerifyArguments } from "../../../../scripts/verify/args.ts";
import { checkUntilComplete } from "../../../../scripts/verify/check-until-complete.ts";

const { targets } = parseVerifyArguments(["r.example/a:1", "r.example/b:1"], {});
const finding = { cause: "absent" } as Finding;
const noErrors = { unauthorised: 0, unavailable: 0, unexpected: 0 };

/** Runs with a clock of its own; `isComplete` says it of a name in a round. */
async function run(
  waitSeconds: number,
  isComplete: (name: string, round: number) => boolean,
  errors = noErrors,
) {
  let time = 0;
  let round = 0;
  const asked: string[][] = [];
  const pauses: number[] = [];
  const outcome = await checkUntilComplete(targets, {
    waitSeconds,
    check: async (wanted) => {
      round += 1;
      asked.push(wanted.map(({ repository }) => repository));
      const checks = wanted.map(({ text, host, repository }) => ({
        reference: text,
        registry: host,
        repository,
        digest: null,
        platforms: [],
        manifests: 1,
        blobs: 1,
        referrers: 0,
        findings: isComplete(repository, round) ? [] : [finding],
      }));
      return { checks, tally: { requests: 10, errors } };
    },
    onWait: (_incomplete, seconds) => pauses.push(seconds),
    now: () => time,
    sleep: async (milliseconds) => {
      time += milliseconds;
    },
  });
  return { ...outcome, asked, pauses };
}

describe("checking until all is complete", () => {
  test("ends after one check where it is", async () => {
    const { images, asked, requests } = await run(5, () => true);
    expect([images.map(({ checks }) => checks), asked.length, requests]).toEqual([[1, 1], 1, 10]);
  });

  test("repeats only what was not, with longer and longer pauses", async () => {
    const { images, asked, pauses } = await run(60, (name, round) => name === "a" || round === 5);
    expect(images.map(({ checks, findings }) => [checks, findings.length])).toEqual([
      [1, 0],
      [5, 0],
    ]);
    expect(asked).toEqual([["a", "b"], ["b"], ["b"], ["b"], ["b"]]);
    expect(pauses).toEqual([0.5, 1, 2, 4]);
  });

  test("ends when time is up, with one last check then", async () => {
    const { images, pauses } = await run(2, () => false);
    expect(pauses).toEqual([0.5, 1, 0.5]);
    expect(images.map(({ findings }) => findings.length)).toEqual([1, 1]);
    expect((await run(0, () => false)).asked.length).toBe(1);
  });

  test("does not try a refused account again", async () => {
    const { asked } = await run(60, () => false, { ...noErrors, unauthorised: 1 });
    expect(asked.length).toBe(1);
  });
});
