import { expect, test } from "vitest";
import { splitAccount } from "../../../../scripts/report/split-account.ts";

test.each([
  ["http://gateway:9091/base", undefined],
  ["http://ci:word@gateway:9091/base", { user: "ci", password: "word" }],
  ["http://ci:p%40ss%2F@gateway:9091/base", { user: "ci", password: "p@ss/" }],
  ["http://ci:50%@gateway:9091/base", { user: "ci", password: "50%" }],
  ["http://token@gateway:9091/base", { user: "token", password: "" }],
])("the account of %s is taken out of the URL", (text, account) => {
  const split = splitAccount(text);
  expect(split.account).toEqual(account);
  expect(split.url.href).toBe("http://gateway:9091/base");
});
