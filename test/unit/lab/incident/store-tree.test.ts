import { expect, test } from "vitest";
import { differencesOf, parseStoreTree } from "../../../../lab/incident/store-tree.ts";

const digest = (digit: string) => digit.repeat(64);

test("a store's tree has size and digest of each file by its path", () => {
  const output = `12 /store/a link\n0 /store/b\n${digest("a")}  /store/a link\n${digest("b")}  /store/b\n`;
  expect(parseStoreTree(output)).toEqual(
    new Map([
      ["/store/a link", `12 bytes, ${digest("a")}`],
      ["/store/b", `0 bytes, ${digest("b")}`],
    ]),
  );
});

test("trees differ where only one has a file, or its content is another", () => {
  const left = new Map([
    ["/same", "1 bytes, a"],
    ["/other", "1 bytes, a"],
    ["/gone", "1 bytes, a"],
  ]);
  const right = new Map([
    ["/same", "1 bytes, a"],
    ["/other", "1 bytes, b"],
    ["/new", "1 bytes, a"],
  ]);
  expect(differencesOf(left, right)).toEqual(["/gone", "/new", "/other"]);
});
