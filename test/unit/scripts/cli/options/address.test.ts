import { describe, expect, test } from "vitest";
import { privacyFault, readAccount } from "../../../../../scripts/cli/options/account.ts";
import { parseOrigin, parsePlainAddress } from "../../../../../scripts/cli/options/address.ts";

describe("an address", () => {
  test.each([
    ["https://r.example", true, true],
    ["http://127.0.0.1:5000/", true, true],
    ["https://r.example:5050/base", true, false],
    ["https://user@r.example", false, false],
    ["https://:word@r.example", false, false],
    ["https://r.example/?x", false, false],
    ["https://r.example/#x", false, false],
    ["ftp://r.example", false, false],
    ["r.example:5050", false, false],
    ["", false, false],
  ])("%s is plain: %s, and an origin: %s", (given, isPlain, isOrigin) => {
    expect(parsePlainAddress(given) !== undefined).toBe(isPlain);
    expect(parseOrigin(given) !== undefined).toBe(isOrigin);
  });

  test.each([
    ["https://r.example", true],
    ["http://r.example", false],
    ["http://localhost:5000", true],
    ["http://127.8.8.8", true],
    ["http://[::1]:5000", true],
    ["http://127.0.0.1.example", false],
    ["http://10.0.0.1", false],
  ])("%s may be sent an account: %s", (given, isPrivate) => {
    const fault = privacyFault("--from", new URL(given));
    expect(fault).toEqual(isPrivate ? undefined : expect.stringContaining("--from must be https"));
  });
});

describe("the account of the environment", () => {
  test("is that of its prefix, and none where both variables are empty", () => {
    const environment = { REG_USER: "ci", REG_PASS: "word", FROM_USER: "", FROM_PASS: "" };
    expect(readAccount(environment)).toEqual({ account: { user: "ci", password: "word" }, faults: [] });
    expect(readAccount(environment, "FROM")).toEqual({ account: undefined, faults: [] });
  });

  test.each([
    [{ FROM_USER: "ci" }, "FROM_USER and FROM_PASS belong together"],
    [{ FROM_PASS: "word" }, "FROM_USER and FROM_PASS belong together"],
    [{ FROM_USER: "a:b", FROM_PASS: "word" }, "FROM_USER must not contain a colon"],
  ])("is refused: %j", (environment, fault) => {
    const { account, faults } = readAccount(environment, "FROM");
    expect([account, faults]).toEqual([undefined, [expect.stringContaining(fault)]]);
    expect(faults.join()).not.toContain("word");
  });
});
