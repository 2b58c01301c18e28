import { describe, expect, test } from "vitest";
import { type CommentFacts, commentBody } from "../../../../engine/comment/body.ts";
import { hideSecrets } from "../../../../engine/comment/hide-secrets.ts";
import { cell, code, codeBlock, htmlCode, link } from "../../../../engine/comment/markdown.ts";
import { marker } from "../../../../engine/comment/marker.ts";
import { changesOf } from "../../../support/engine-steps.ts";

const facts: CommentFacts = { stack: "prod", commit: undefined, runUrl: undefined, maxBytes: 65_536 };
const file = (name: string, lines: number) => ({
  op: "create",
  type: "host:index:File",
  name,
  after: { content: Array.from({ length: lines }, (_, line) => `${name} ${line}`).join("\n") },
});
const body = (steps: Parameters<typeof changesOf>[0], maxBytes = 65_536) =>
  commentBody({ kind: "changes", changes: changesOf(steps) }, { ...facts, maxBytes });

describe("a comment", () => {
  test("leaves diffs out at a resource's border, keeps the table, and shows the small ones after a large one", () => {
    const text = body([file("small", 2), file("large", 400), file("last", 2)], 2500);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(2500);
    expect(text).toContain("+  small 1\n");
    expect(text).toContain("+  last 1\n");
    expect(text).not.toContain("large 0");
    expect(text).toContain("| `create` | `File` | `large` |");
    expect(text).toContain("1 diff is left out");
    expect(text.match(/<details>/g)).toHaveLength(text.match(/<\/details>/g)?.length ?? 0);
  });

  test("names as many resources as fit, and counts the rest", () => {
    const steps = Array.from({ length: 500 }, (_, index) => file(`file-${index}`, 1));
    const text = body(steps, 4000);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4000);
    expect(text).toContain("500 resources change");
    const rows = text.match(/^\| `create`/gm)?.length ?? 0;
    expect(rows).toBeGreaterThan(20);
    expect(text).toContain(`and ${500 - rows} more`);
  });

  test("of a failure ends at the limit too", () => {
    const errors = Array.from({ length: 50 }, () => "x".repeat(200));
    const text = commentBody({ kind: "failed", errors }, { ...facts, maxBytes: 3000 });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(3000);
    expect(text).toMatch(/\.\.\. and \d+ more lines in the log of the run/);
  });

  test("counts a replacement, which the engine announces in three steps, once", () => {
    const step = {
      type: "host:index:File",
      name: "a",
      before: { path: "/a" },
      after: { path: "/b" },
      paths: ["path"],
    };
    const text = body([
      { ...step, op: "create-replacement" },
      { ...step, op: "replace" },
      { ...step, op: "delete-replaced" },
    ]);
    expect(text).toContain("1 resource changes");
    expect(text.match(/-\/a/g)).toHaveLength(1);
  });

  test("begins with a marker that no stack's name can end or take from another", () => {
    expect(marker("a--> b")).toBe("<!-- regwarden: preview of stack a%2D%2D%3E%20b -->");
    expect(marker("prod-a").startsWith(marker("prod"))).toBe(false);
  });
});

describe("what a name or a value holds", () => {
  const hostile = "a`b``c | @everyone #1 </details><img src=x> [x](http://evil) \n/close\u202e\u0007";

  test("stays in its cell and its code", () => {
    expect(code("a`b``c")).toBe("```a`b``c```");
    expect(code("`a")).toBe("`` `a ``");
    expect(code("  ")).toBe("");
    expect(cell("a|b")).toBe("`a\\u007cb`");
    expect(cell(hostile)).not.toMatch(/[|\n\p{Cc}\p{Cf}]/u);
    expect(htmlCode('</details> & "x"')).toBe("<code>&lt;/details&gt; &amp; &quot;x&quot;</code>");
    expect(htmlCode(hostile)).not.toMatch(/<(?!\/?code>)|\n/);
  });

  test("stays in its block, where no line begins as a command or ends the block", () => {
    expect(codeBlock("diff", ["+```", "-`````"])).toBe("``````diff\n+```\n-`````\n``````");
    const text = body([
      { ...file("x", 1), name: hostile, after: { content: `${hostile}\n\`\`\`\n/close\n</details>\n` } },
    ]);
    const [, ticks = "", inside = ""] = /^(`{4,})diff\n([\s\S]*?)\n\1$/m.exec(text) ?? [];
    expect(ticks).not.toBe("");
    expect(inside.split("\n").every((line) => /^[-+ @\\]/.test(line))).toBe(true);
    const row = text.split("\n").find((line) => line.startsWith("| `create`")) ?? "";
    expect(text.replace(inside, "").replace(row, "")).not.toMatch(/<img|^\/close|<\/details>(?!\n|$)/m);
    expect(row.replace(/(`+)(?!`).*?(?<!`)\1(?!`)/g, "code")).toBe("| code | code | code |  |");
  });

  test("makes no link but to the web", () => {
    expect(link("log", "https://ci.example.com/a(b)> c")).toBe("[log](<https://ci.example.com/a(b)%3E%20c>)");
    expect(link("log", "javascript:alert(1)")).toBe("log");
  });
});

describe("hidden secrets", () => {
  test("are the values of variables that hold secrets, each line of them, and none that is short", () => {
    const environment = {
      VAULT_TOKEN: "hvs.abcdefgh",
      GOOGLE_CREDENTIALS: "first-line-of-it\nsecond-line-of-it",
      MY_PASSWORD: "short",
      HOME: "/home/somewhere",
    };
    const text = "hvs.abcdefgh second-line-of-it short /home/somewhere";
    expect(hideSecrets(text, environment)).toBe("[secret] [secret] short /home/somewhere");
  });
});
