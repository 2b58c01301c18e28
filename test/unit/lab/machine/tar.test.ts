import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { tar } from "../../../../lab/machine/tar.ts";

const archive = tar([
  { path: "root/.ssh/", mode: 0o700 },
  { path: "root/.ssh/authorized_keys", content: "ssh-ed25519 AAAA\n", mode: 0o600 },
  { path: "home/deploy/file", content: "x".repeat(513), owner: 1000 },
  { path: "link", link: "target" },
]);

test("tar(1) reads names, modes, owners, sizes and links", () => {
  const list = execFileSync("tar", ["--numeric-owner", "-tvf", "-"], { input: archive, encoding: "utf8" });
  const rows = list
    .trim()
    .split("\n")
    .map((line) => line.split(/\s+/));
  expect(rows.map(([mode, owner, size, , , ...name]) => [mode, owner, size, name.join(" ")])).toEqual([
    ["drwx------", "0/0", "0", "root/.ssh/"],
    ["-rw-------", "0/0", "17", "root/.ssh/authorized_keys"],
    ["-rw-r--r--", "1000/1000", "513", "home/deploy/file"],
    ["lrw-r--r--", "0/0", "0", "link -> target"],
  ]);
});

test("tar(1) gives the content back", () => {
  const arguments_ = ["-xOf", "-", "home/deploy/file"];
  expect(execFileSync("tar", arguments_, { input: archive, encoding: "utf8" })).toBe("x".repeat(513));
});

test("a path that ustar cannot hold is refused", () => {
  expect(() => tar([{ path: "x".repeat(101), content: "" }])).toThrow(/too long/);
});
