import { afterAll, expect, test } from "vitest";
import { documents } from "../support/documents/markdown.ts";
import { runBlock } from "../support/lab/shown-block.ts";

const blocks = documents()
  .flatMap((document) => document.blocks)
  .filter(({ language }) => language === "sh");
const run = blocks.filter(({ treatment }) => treatment !== undefined && treatment.runs !== "never");
const marked = blocks.flatMap(({ at, treatment }) =>
  treatment?.runs === "never" ? [`  ${at}: ${treatment.reason}`] : [],
);

afterAll(() => {
  console.log(
    [
      `${blocks.length} shell blocks in the documents: ${run.length} are run, ${marked.length} are not:`,
      ...marked,
    ].join("\n"),
  );
});

// In the order in which they are read: a block may need what the one before has done.
test.each(run.map((block) => [block.at, block] as const))(
  "the shell block at %s does what its document says",
  async (_, block) => {
    const { exitCode, output } = await runBlock(block);
    expect(exitCode, output).toBe(0);
  },
  300_000,
);
