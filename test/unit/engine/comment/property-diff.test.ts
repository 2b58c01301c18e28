import { describe, expect, test } from "vitest";
import { propertyDiffs } from "../../../../engine/comment/property-diff.ts";
import { parsePropertyPath } from "../../../../engine/comment/property-path.ts";
import { type Step, secretValue, stepEvent } from "../../../support/engine-steps.ts";

function diffs(step: Partial<Step>) {
  const { resourcePreEvent } = stepEvent({ op: "update", type: "host:index:File", name: "file", ...step });
  return resourcePreEvent ? propertyDiffs(resourcePreEvent.metadata) : [];
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `line ${index + 1}`);
const text = (lines: readonly string[]) => `${lines.join("\n")}\n`;

describe("a property path", () => {
  test.each<[string, (string | number)[] | undefined]>([
    ["content", ["content"]],
    ["spec.env[0].name", ["spec", "env", 0, "name"]],
    ['metadata.labels["app.kubernetes.io/name"]', ["metadata", "labels", "app.kubernetes.io/name"]],
    ['["a \\"quoted\\" key"].b', ['a "quoted" key', "b"]],
    ["a[x]", undefined],
  ])("%s", (path, parts) => {
    expect(parsePropertyPath(path)).toEqual(parts);
  });
});

describe("the diff of a property", () => {
  test("shows the lines that differ with three around them, and where lines are left out", () => {
    const after = numbered(20).map((line) => (line === "line 10" ? "line ten" : line));
    expect(
      diffs({ before: { content: text(numbered(20)) }, after: { content: text(after) }, paths: ["content"] }),
    ).toEqual([
      {
        path: "content",
        lines: [
          "@@ line 7 @@",
          " line 7",
          " line 8",
          " line 9",
          "-line 10",
          "+line ten",
          " line 11",
          " line 12",
          " line 13",
        ],
      },
    ]);
  });

  test("shows a value that is no text as YAML", () => {
    const step = { before: { a: { b: [1, "x"] } }, after: { a: { b: [2, "x"] } }, paths: ["a.b", "a.b[0]"] };
    expect(diffs(step).map(({ lines }) => lines)).toEqual([
      ["-- 1", "+- 2", " - x"],
      ["-1", "+2"],
    ]);
  });

  test("says that the line end is what differs", () => {
    const [diff] = diffs({ before: { content: "a\n" }, after: { content: "a" }, paths: ["content"] });
    expect(diff?.lines).toEqual(["-a", "+a", "\\ No newline at end of file"]);
  });

  test("compares what was read with the program where the host differs", () => {
    const step = {
      before: { enabled: true },
      after: { enabled: true },
      outputs: { enabled: false },
      drifted: ["enabled"],
    };
    expect(diffs(step)).toEqual([{ path: "enabled", lines: ["-false", "+true"] }]);
  });

  test("shows all properties of what is created or deleted, without those that providers keep for themselves", () => {
    const properties = { path: "/a", mode: "0644", __defaults: [] };
    expect(diffs({ op: "create", after: properties })[0]?.lines).toEqual(["+mode: '0644'", "+path: /a"]);
    expect(diffs({ op: "delete", before: properties })[0]?.lines).toEqual(["-mode: '0644'", "-path: /a"]);
  });

  test("names what is known after the update only", () => {
    const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    const [diff] = diffs({ before: { id: "a" }, after: { id: unknown }, paths: ["id"] });
    expect(diff?.lines).toEqual(["-a", "+(known after the update)"]);
  });

  test("never shows a secret: not itself, not what lies below it, not what was one and is none, or becomes one", () => {
    const plain = { users: { viktor: "s3cret-hash" } };
    const secret = { users: secretValue };
    const withPlaintext = { users: { ...secretValue, plaintext: '"s3cret-hash"' } };
    for (const [before, after] of [
      [secret, plain],
      [plain, secret],
      [withPlaintext, plain],
      [secret, withPlaintext],
    ]) {
      for (const path of ["users", "users.viktor"]) {
        const lines = diffs({ before: before ?? {}, after: after ?? {}, paths: [path] }).flatMap(
          (diff) => diff.lines,
        );
        expect(lines).toEqual(["-[secret]", "+[secret]"]);
      }
    }
    expect(diffs({ op: "create", after: withPlaintext })[0]?.lines).toEqual(["+users: '[secret]'"]);
  });

  test("counts lines where too many differ", () => {
    const content = (letter: string) => text(numbered(5000).map((line) => letter + line));
    const [diff] = diffs({
      before: { content: content("a") },
      after: { content: content("b") },
      paths: ["content"],
    });
    expect(diff?.lines).toEqual(["@@ 5000 lines become 5000: too many differ to show them @@"]);
  });
});
