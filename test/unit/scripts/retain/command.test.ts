import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readGauge } from "../../../../scripts/report/exposition.ts";
import { decidedTags, retain } from "../../../support/commands.ts";
import { detachedSignature, signatureTag } from "../../../support/images/artifacts.ts";
import { type Content, digest, image, index, signature } from "../../../support/images/oci-content.ts";
import { inUseDocument } from "../../../support/in-use-document.ts";
import { temporaryDirectory } from "../../../support/program.ts";
import { setPushTime, writeRules } from "../../../support/store/retained-store.ts";
import { storeAt } from "../../../support/store/store.ts";
import { treeOf } from "../../../support/store/tree.ts";

const day = 24 * 3600 * 1000;

/** A data root with a registry and a cache beside it, each with three tags in `ci/a` and five in `ci/b`, days apart. */
async function rootWithTags() {
  const root = await temporaryDirectory();
  for (const registry of ["private", "mirror"]) {
    const store = storeAt(join(root, registry));
    for (const [repository, count] of [
      ["ci/a", 3],
      ["ci/b", 5],
    ] as const)
      for (let number = 1; number <= count; number += 1) {
        const tag = `v${number}`;
        await store.push(repository, image(`${repository}:${tag}`, "linux/amd64"), tag);
        await setPushTime(store, repository, tag, Date.now() - (60 - number) * day);
      }
  }
  const rulesOf = (...rules: object[]) => writeRules(root, rules);
  const run = (rules: string, ...argv: string[]) =>
    retain(root, "--rules", rules, "--cache", "mirror", "--apply", ...argv);
  const trees = async () => ({
    private: await treeOf(join(root, "private")),
    mirror: await treeOf(join(root, "mirror")),
  });
  return { root, rulesOf, run, trees };
}

const newestOne = { repositories: ["ci/*"], keep: { newest: 1 } };

describe("with --apply, retain", () => {
  test("ends with 0 when it has moved all that is to go, and again when nothing is left; a cache is never touched", async () => {
    const { rulesOf, run, trees } = await rootWithTags();
    const rules = await rulesOf(newestOne);
    const before = await trees();
    const first = await run(rules, "--max-removed", "100%");
    expect([first.exitCode, first.report.registries.map(({ name, moved }) => [name, moved])]).toEqual([
      0,
      [["private", 6]],
    ]);
    expect(decidedTags(first.report).keep).toEqual(["ci/a:v3", "ci/b:v5"]);
    expect((await trees()).mirror).toEqual(before.mirror);
    const second = await run(rules);
    expect([second.exitCode, second.report.run]).toEqual([0, null]);
  });

  test("moves nothing of a registry that would lose more than --max-removed, and ends with 1", async () => {
    const { rulesOf, run, trees } = await rootWithTags();
    const before = await trees();
    const { exitCode, report } = await run(await rulesOf(newestOne), "--max-removed", "74%");
    expect([exitCode, report.run]).toEqual([1, null]);
    expect(report.refused).toMatchObject([{ registry: "private", repository: null, reason: "budget" }]);
    expect(await trees()).toEqual(before);
    // Six of eight: 75 % is not more than 75 %.
    expect(await run(await rulesOf(newestOne), "--max-removed", "75%")).toMatchObject({ exitCode: 0 });
  });

  test("moves nothing of a repository that would lose more than its own share, and the rest of the others", async () => {
    const { root, rulesOf, run } = await rootWithTags();
    const b = await treeOf(join(root, "private/docker/registry/v2/repositories/ci/b"));
    const { exitCode, report } = await run(
      await rulesOf(newestOne),
      ...["--max-removed", "100%", "--max-removed-of-repository", "70%"],
    );
    expect([exitCode, report.registries[0]?.moved]).toEqual([1, 2]);
    expect(report.refused).toMatchObject([{ repository: "ci/b", reason: "budget", tags: 4 }]);
    expect(await treeOf(join(root, "private/docker/registry/v2/repositories/ci/b"))).toEqual(b);
  });

  test.each([
    ["a cache by name", ["--registry", "mirror"], 2, /mirror is a pull-through cache/],
    ["a registry that is not there", ["--registry", "gone"], 3, /there is no such store here/],
    ["a share that is none", ["--max-removed", "2"], 2, /0% to 100%/],
    ["a list without the registry's name", ["--in-use", "x"], 2, /--instance/],
  ])("moves nothing when it is asked for %s", async (_, flags, code, message) => {
    const { rulesOf, run, trees } = await rootWithTags();
    const before = await trees();
    const { exitCode, stderr } = await run(await rulesOf(newestOne), ...flags);
    expect([exitCode, stderr]).toEqual([code, expect.stringMatching(message)]);
    expect(await trees()).toEqual(before);
  });

  test.each([
    ["rules: [", /rules/],
    ['{"rules":[{"repositories":["a"],"keep":{"newest":-1}}]}', /newest/],
  ])("ends with 2 for rules like %s", async (text, message) => {
    const { root, run, trees } = await rootWithTags();
    const rules = join(root, "rules.yaml");
    await writeFile(rules, text);
    const before = await trees();
    const { exitCode, stderr } = await run(rules);
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(message)]);
    expect(await trees()).toEqual(before);
  });
});

describe("what a rule needs and cannot be read keeps all that it protects, and nothing else:", () => {
  const instance = ["--instance", "registry.example:5050"];
  const inUse = { repositories: ["ci/a"], keep: { inUse: true } };
  const pulled = { repositories: ["ci/a"], keep: { pulledWithin: "30d" } };
  const images = [{ repository: "ci/a", tag: "v1", digest: null, digests: [] }];
  const write = async (document: object) => {
    const path = join(await temporaryDirectory(), "file");
    await writeFile(path, `${JSON.stringify(document)}\n`);
    return path;
  };
  test.each([
    ["no list of images in use", inUse, "in-use", async () => []],
    ["a list that is missing", inUse, "in-use", async () => ["--in-use", "/none", ...instance]],
    [
      "a list of three days ago",
      inUse,
      "in-use",
      async () => [
        "--in-use",
        await write(inUseDocument({ images, now: Date.now() - 3 * day })),
        ...instance,
      ],
    ],
    [
      "an incomplete list",
      inUse,
      "in-use",
      async () => ["--in-use", await write(inUseDocument({ images, complete: false })), ...instance],
    ],
    ["no access log", pulled, "access-log", async () => []],
    ["an access log that is missing", pulled, "access-log", async () => ["--access-log", "/none"]],
    [
      "an access log of three days",
      pulled,
      "access-log",
      async () => [
        "--access-log",
        await write({ begins: (Date.now() - 3 * day) / 1000, follows: "access.log.1" }),
      ],
    ],
  ] as const)("%s", async (_, rule, reason, flags) => {
    const { root, rulesOf, run } = await rootWithTags();
    const rules = await rulesOf(rule, newestOne);
    const protectedTree = () => treeOf(join(root, "private/docker/registry/v2/repositories/ci/a"));
    const before = await protectedTree();
    const { exitCode, report } = await run(rules, "--max-removed", "100%", ...(await flags()));
    expect([exitCode, report.complete]).toEqual([3, false]);
    expect(report.refused).toMatchObject([{ repository: "ci/a", reason, tags: 3 }]);
    expect(await protectedTree()).toEqual(before);
    expect(decidedTags(report).drop).toEqual(["ci/b:v1", "ci/b:v2", "ci/b:v3", "ci/b:v4"]);
    expect(report.registries[0]?.moved).toBe(4);
  });

  test("a repository whose tags cannot be listed", async () => {
    const { root, rulesOf, run } = await rootWithTags();
    const tags = join(root, "private/docker/registry/v2/repositories/ci/a/_manifests/tags");
    await rm(tags, { recursive: true });
    await writeFile(tags, "not a directory");
    const { exitCode, report } = await run(await rulesOf(newestOne), "--max-removed", "100%");
    expect(exitCode).toBe(3);
    expect(report.refused).toMatchObject([{ repository: "ci/a", reason: "unreadable" }]);
    expect(decidedTags(report).drop.every((tag) => tag.startsWith("ci/b:"))).toBe(true);
  });
});

test("while the access log is younger than the rule reaches back, tags stay, the report says until when, and that is no fault", async () => {
  const { root, rulesOf, run } = await rootWithTags();
  const rules = await rulesOf({ repositories: ["ci/a"], keep: { pulledWithin: "30d" } }, newestOne);
  const log = join(root, "access.log");
  const begins = Date.now() / 1000 - 3 * 86_400;
  const line = (time: number) =>
    JSON.stringify({ time, method: "GET", uri: "/v2/", status: "200", agent: "containerd" });
  const write = (follows: string | null, time: number) =>
    writeFile(log, `${JSON.stringify({ begins, follows })}\n${line(time)}\n`);
  const metrics = join(await temporaryDirectory(), "retain.prom");
  const flags = ["--max-removed", "100%", "--access-log", log, "--metrics", metrics];

  await write(null, Date.now() / 1000 - 60);
  const { exitCode, report } = await run(rules, ...flags);
  expect([exitCode, report.complete, report.registries[0]?.moved]).toEqual([0, true, 4]);
  const until = new Date((begins + 30 * 86_400) * 1000).toISOString();
  expect(report.refused).toMatchObject([
    {
      repository: "ci/a",
      reason: "history",
      tags: 3,
      until,
      text: expect.stringContaining(`from ${until} on`),
    },
  ]);
  const text = await readFile(metrics, "utf8");
  expect(readGauge(text, "regwarden_retain_success_timestamp_seconds")).toBeGreaterThan(0);
  expect(text).toMatch(/^regwarden_retain_refused\{registry="private",reason="history"\} 1$/m);
  expect(text).toMatch(/^regwarden_retain_history_timestamp_seconds\{registry="private"\} \d+/m);

  // A file of it that is gone, or an end hours ago, is a fault all the same.
  await write("access.log.1", Date.now() / 1000 - 60);
  expect(await run(rules, ...flags)).toMatchObject({
    exitCode: 3,
    report: { refused: [{ reason: "access-log" }] },
  });
  await write(null, begins + 60);
  expect(await run(rules, ...flags)).toMatchObject({
    exitCode: 3,
    report: { refused: [{ reason: "access-log" }] },
  });
});

describe("a signature", () => {
  /** A store whose newest tag leads to `kept`; what is `signed` has a signature, pushed long ago. */
  async function storeWith(kept: Content, signed: Content, ...untagged: readonly Content[]) {
    const root = await temporaryDirectory();
    const store = storeAt(join(root, "private"));
    const name = signatureTag(signed);
    await store.push("ci/a", kept, "v2");
    for (const content of [signed, ...untagged]) await store.push("ci/a", content);
    await store.push("ci/a", detachedSignature(signed), name);
    await setPushTime(store, "ci/a", name, Date.now() - 60 * day);
    const decided = async () =>
      decidedTags((await retain(root, "--rules", await writeRules(root, [newestOne]))).report);
    return { store, tag: `ci/a:${name}`, decided };
  }

  test("of what a tagged artifact is about stays, as the collection keeps that with the artifact", async () => {
    const signed = image("built", "linux/amd64");
    const { tag, decided } = await storeWith(signature(signed), signed);
    expect(await decided()).toMatchObject({ keep: [tag, "ci/a:v2"], drop: [] });
  });

  test("of an artifact stays with the image that it is about", async () => {
    const built = image("built", "linux/amd64");
    const artifact = signature(built);
    const { tag, decided } = await storeWith(built, signature(artifact), artifact);
    expect(await decided()).toMatchObject({ keep: [tag, "ci/a:v2"], drop: [] });
  });

  test("of a former index goes, although one of its images stays", async () => {
    const built = image("built", "linux/amd64");
    const { tag, decided } = await storeWith(built, index([built, image("built", "linux/arm64")]));
    expect(await decided()).toMatchObject({ keep: ["ci/a:v2"], drop: [tag] });
  });

  test.each(["damaged", ""])("stays while the manifest that it is about holds %j", async (bytes) => {
    const built = image("built", "linux/amd64");
    const artifact = signature(built);
    const { store, tag, decided } = await storeWith(built, artifact);
    await writeFile(store.blobData(digest(artifact)), bytes);
    expect(await decided()).toMatchObject({ keep: ["ci/a:v2"], drop: [], undecided: [tag] });
  });

  test.each(["damaged", ""])(
    "stays while an artifact further up, between it and what may stay, holds %j",
    async (bytes) => {
      const built = image("built", "linux/amd64");
      const artifact = signature(built);
      const { store, tag, decided } = await storeWith(built, signature(artifact), artifact);
      await writeFile(store.blobData(digest(artifact)), bytes);
      expect(await decided()).toMatchObject({ keep: ["ci/a:v2"], drop: [], undecided: [tag] });
    },
  );

  test("stays while an index within what stays is damaged: it may have led to what it is about", async () => {
    const built = image("built", "linux/amd64");
    const inner = index([built]);
    const { store, tag, decided } = await storeWith(index([inner]), built);
    await writeFile(store.blobData(digest(inner)), "damaged");
    expect(await decided()).toMatchObject({ keep: ["ci/a:v2"], drop: [], undecided: [tag] });
  });
});
