import { describe, expect, test } from "vitest";
import { isCronExpression } from "../../../config/cron.ts";

describe("a cron expression", () => {
  test.each([
    "* * * * *",
    "*/15 * * * *",
    "0 3 * * 0",
    "5,35 8-18/2 1 JAN-mar mon-fri",
    "59 23 31 12 6",
    "5/10 * * * *",
  ])("is %s", (text) => {
    expect(isCronExpression(text)).toBe(true);
  });

  test.each(["", "@daily", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 7"])(
    "is not %s",
    (text) => {
      expect(isCronExpression(text)).toBe(false);
    },
  );

  test.each(["*/0 * * * *", "5-1 * * * *", "1-2-3 * * * *", "a * * * *", "1, * * * *", "TZ=UTC * * * * *"])(
    "is not %s either",
    (text) => {
      expect(isCronExpression(text)).toBe(false);
    },
  );
});
