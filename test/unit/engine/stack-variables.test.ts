import { readFileSync, statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../../engine/args.ts";
import { applyStackVariables, parseStackVariables } from "../../../engine/stack-variables.ts";

describe("the variables of a stack in one secret", () => {
  test("are lines, texts of several lines, and files", () => {
    const text = [
      "# of the backend",
      "PULUMI_BACKEND_URL=s3://state?region=eu-central-1&a=b",
      "",
      "AWS_SECRET_ACCESS_KEY=a=b$(id)`id`'\"\\n $HOME #x",
      "GOOGLE_CREDENTIALS<<END",
      "{",
      "",
      "# no comment here",
      "}",
      "END",
      "VAULT_CACERT@file<<PEM",
      "-----BEGIN CERTIFICATE-----",
      "PEM",
      "EMPTY=\r",
    ].join("\n");
    expect(parseStackVariables(text)).toEqual([
      { name: "PULUMI_BACKEND_URL", value: "s3://state?region=eu-central-1&a=b", isFile: false },
      { name: "AWS_SECRET_ACCESS_KEY", value: "a=b$(id)`id`'\"\\n $HOME #x", isFile: false },
      { name: "GOOGLE_CREDENTIALS", value: "{\n\n# no comment here\n}", isFile: false },
      { name: "VAULT_CACERT", value: "-----BEGIN CERTIFICATE-----", isFile: true },
      { name: "EMPTY", value: "", isFile: false },
    ]);
  });

  test("are refused with every line that is wrong, and nothing of what it holds", () => {
    const text = "s3cret\nexport A=s3cret\nB = s3cret\nC=fine\nD<<END\ns3cret";
    expect(() => parseStackVariables(text)).toThrow(UsageError);
    expect(() => parseStackVariables(text)).toThrow(
      /^STACK_ENVIRONMENT: line 1 is .*; line 2 is .*; line 3 is .*; the text that begins in line 5 has no line that ends it\.$/,
    );
    expect(() => parseStackVariables(text)).not.toThrow("s3cret");
  });

  test("are put into the environment, files readable for their own user alone, and the secret itself taken out", () => {
    const environment: Record<string, string | undefined> = {
      STACK_ENVIRONMENT: "VAULT_TOKEN=new\nVAULT_CACERT@file<<END\na\nb\nEND",
      VAULT_TOKEN: "old",
      HOME: "/root",
    };
    applyStackVariables(environment);
    const { VAULT_CACERT = "", ...rest } = environment;
    expect(rest).toEqual({ VAULT_TOKEN: "new", HOME: "/root" });
    expect(readFileSync(VAULT_CACERT, "utf8")).toBe("a\nb\n");
    expect(statSync(VAULT_CACERT).mode & 0o777).toBe(0o600);
  });
});
