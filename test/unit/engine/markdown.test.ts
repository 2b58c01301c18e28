import { describe, expect, test } from "vitest";
import { previewMarkdown } from "../../../engine/markdown.ts";

const file = (name: string, properties: readonly string[] = ["content"]) => ({
  operation: "update",
  type: "host:index:File",
  name,
  properties,
});
const numbered = (count: number) => Array.from({ length: count }, (_, index) => file(`file-${index + 1}`));

describe("the comment on a pull request", () => {
  test("is empty when nothing changes", () => {
    expect(previewMarkdown("prod", [])).toBe("");
  });

  test("is a table", () => {
    expect(previewMarkdown("prod", [file("compose", ["content", "mode"]), file("quay", [])])).toBe(`\
### Stack \`prod\`: 2 resources change

| operation | kind | resource | properties |
| --- | --- | --- | --- |
| \`update\` | \`File\` | \`compose\` | \`content, mode\` |
| \`update\` | \`File\` | \`quay\` |  |
`);
  });

  test("keeps its cells whatever a name holds", () => {
    expect(previewMarkdown("prod", [file("a|b`c\nd")])).toContain("| `a\\|b'c d` |");
  });

  test("ends after 100 rows, well below what a forge takes", () => {
    const text = previewMarkdown("prod", numbered(102));
    expect(text).toContain("`file-100`");
    expect(text).not.toContain("`file-101`");
    expect(text).toContain("\nand 2 more\n");
  });
});
