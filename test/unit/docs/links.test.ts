import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path/posix";
import { expect, test } from "vitest";
import { projectFiles } from "../../support/documents/known-names.ts";
import { type Document, documents, parseDocument } from "../../support/documents/markdown.ts";
import { root } from "../../support/imports.ts";

const all = documents();
const byFile = new Map(all.map((document) => [document.file, document]));

/** What is wrong with a link of a document; undefined where nothing is. External ones are not asked for. */
function faultOf({ file }: Pick<Document, "file">, target: string): string | undefined {
  if (/^[a-z][\w+.-]*:/.test(target)) {
    return /^https?:$/.test(URL.parse(target)?.protocol ?? "") ? undefined : "no URL of the web";
  }
  const [path = "", anchor] = target.split("#");
  const linked = path === "" ? file : normalize(join(dirname(file), path));
  if (!existsSync(join(root, linked))) return `${linked} does not exist`;
  if (anchor === undefined) return undefined;
  const document = byFile.get(linked);
  if (document === undefined) return `${linked} is no document with headings`;
  return document.anchors.has(anchor) ? undefined : `${linked} has no heading for #${anchor}`;
}

test("links, anchors, spans and blocks are found in Markdown", () => {
  const text = [
    "# A `b` & c",
    "See [here](docs/x.md#y) and `a\nb`. `[no](link)`",
    "## A b  c",
    "",
    "<!-- run on the VM, exit 1 -->",
    "```sh",
    "ls # [no](link)",
    "```",
    "<!-- not run: needs",
    "     two machines -->",
    "",
    "```sh",
    "rm",
    "```",
  ].join("\n");
  const { anchors, links, spans, blocks } = parseDocument("x.md", text);
  expect([...anchors]).toEqual(["a-b--c", "a-b--c-1"]);
  expect(links).toEqual([{ at: "x.md:2", target: "docs/x.md#y" }]);
  expect(spans.map((span) => span.text)).toEqual(["b", "a b", "[no](link)"]);
  expect(blocks).toEqual([
    { at: "x.md:7", language: "sh", text: "ls # [no](link)\n", treatment: { runs: "host", exits: [1] } },
    {
      at: "x.md:13",
      language: "sh",
      text: "rm\n",
      treatment: { runs: "never", reason: "needs two machines" },
    },
  ]);
});

test.each([
  ["README.md", "docs/none.md", "docs/none.md does not exist"],
  ["docs/ci.md", "runbook.md#none", "docs/runbook.md has no heading for #none"],
  ["docs/ci.md", "vault-policy.hcl#none", "docs/vault-policy.hcl is no document with headings"],
  ["docs/ci.md", "ftp://example.com", "no URL of the web"],
  ["docs/ci.md", "../README.md#try-it", undefined],
])("a link of %s to %s: %s", (file, target, fault) => {
  expect(faultOf({ file }, target)).toBe(fault);
});

test("every link of the documents leads somewhere", () => {
  const faults = all.flatMap((document) =>
    document.links.flatMap(({ at, target }) => {
      const fault = faultOf(document, target);
      return fault === undefined ? [] : [`${at}: ${target}: ${fault}`];
    }),
  );
  expect(all.flatMap(({ links }) => links).length).toBeGreaterThan(30);
  expect(faults).toEqual([]);
});

/** Of BuildKit, in comments that name their source. */
const others = ["docs/attestations/attestation-storage.md", "docs/build-repro.md"];

test("every document that the code names is there", () => {
  const named = projectFiles
    .filter((file) => /\.(?:ts|ya?ml)$/.test(file) && !file.startsWith("test/"))
    .flatMap((file) =>
      [...readFileSync(join(root, file), "utf8").matchAll(/\bdocs\/[\w/.-]+\.(?:md|ya?ml|hcl)\b/g)].map(
        ([path]) => [file, path] as const,
      ),
    );
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter(([, path]) => !others.includes(path) && !existsSync(join(root, path)))).toEqual([]);
});
