import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { GcReport } from "../../../../contract/gc-report.ts";
import { image, layer } from "../../../support/images/oci-content.ts";
import { regwarden, temporaryDirectory, withReport } from "../../../support/program.ts";
import { age, day, markStore, namesOf } from "../../../support/store/marks.ts";
import { privateStore } from "../../../support/store/store.ts";

async function rootOfMany() {
  const { root, store } = await privateStore();
  for (let number = 0; number < 12; number++) {
    const repository = `app${number % 3}`;
    await store.push(repository, image(`kept ${number}`, "linux/amd64"), `${number}`);
    await store.push(repository, image(`dead ${number}`, "linux/amd64"));
    await store.blob(`orphan ${number}`);
  }
  await store.push("app0", layer("shared"));
  await store.put(store.layerLink("app1", `sha256:${"7".repeat(64)}`), "");
  await age(store.directory, day);
  return { root, store };
}

async function writeReports(reports: readonly GcReport[]): Promise<readonly string[]> {
  const directory = await temporaryDirectory();
  const paths = reports.map((_, at) => join(directory, `${at}.json`));
  for (const [at, path] of paths.entries()) await writeFile(path, JSON.stringify(reports[at]));
  return paths;
}

/** All but the times. */
function timeless(report: GcReport) {
  const { startedAt: _, finishedAt: __, durationSeconds: ___, registries, ...rest } = report;
  return {
    ...rest,
    registries: registries.map(({ ledger, ...registry }) => ({ ...registry, ledger: ledger.entries })),
  };
}

test.each([1, 16, 256])(
  "%i shards find together what one run finds, and their reports add up to its report",
  async (count) => {
    const { root, store } = await rootOfMany();
    const gc = async (...argv: readonly string[]) => {
      const { stdout } = await regwarden([
        "gc",
        root,
        "--json",
        "--dead-for",
        "0s",
        "--budget",
        "100%",
        ...argv,
      ]);
      return JSON.parse(stdout) as GcReport;
    };
    const whole = await markStore(store.directory);
    const swept: string[] = [];
    const reports: GcReport[] = [];
    for (let index = 0; index < count; index++) {
      swept.push(...namesOf((await markStore(store.directory, { shard: { index, count } })).dead));
      reports.push(await gc("--shard", `${index + 1}/${count}`));
    }
    expect(swept.sort()).toEqual(namesOf(whole.dead));
    expect(whole.dead.length).toBeGreaterThan(80);
    const files = await writeReports(reports);
    const merged = withReport<GcReport>(await regwarden(["gc", "--merge-reports", "--json", ...files]));
    // As of one run that plans what goes.
    expect([merged.exitCode, merged.stderr]).toEqual([1, ""]);
    expect(timeless(merged.report)).toEqual(timeless(await gc()));
    const { stdout } = await regwarden(["gc", "--merge-reports", ...files]);
    expect(stdout).toMatch(/things would go, which frees .* the same command with --apply/);
  },
  120_000,
);

test("reports that are not all shards of one run are not merged, nor what is no report", async () => {
  const { root } = await rootOfMany();
  const { stdout } = await regwarden(["gc", root, "--json", "--shard", "1/2"]);
  const [one = ""] = await writeReports([JSON.parse(stdout)]);
  const other = join(await temporaryDirectory(), "other.json");
  await writeFile(other, "{}");
  const merge = (...files: string[]) => regwarden(["gc", "--merge-reports", ...files]);
  expect(await merge(one)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/not all of 2 shards/),
  });
  expect(await merge(one, other)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/other.json is no report of gc --json/),
  });
  expect(await merge("/none")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/none cannot be read/),
  });
  expect(await merge()).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/needs the reports/) });
});
