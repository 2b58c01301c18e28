import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../../engine/args.ts";
import { stackEnvironment } from "../../../engine/environment.ts";

describe("the stack", () => {
  const project = mkdtempSync(join(tmpdir(), "regwarden-engine-"));

  test("must be named where no lab runs", () => {
    expect(() => stackEnvironment(project, undefined, {})).toThrow(
      new UsageError(
        "Which stack? Give --stack NAME or set PULUMI_STACK; or start the lab with `npm run lab`.",
      ),
    );
    expect(stackEnvironment(project, undefined, { PULUMI_STACK: "prod" }).stack).toBe("prod");
  });

  test("is the lab's where one runs, in the lab's environment; another one is not touched by that", () => {
    mkdirSync(join(project, ".lab/lab"), { recursive: true });
    writeFileSync(join(project, ".lab/lab/environment.json"), '{"PULUMI_BACKEND_URL":"file:///lab"}');
    expect(stackEnvironment(project, undefined, {})).toEqual({
      stack: "lab",
      variables: { PULUMI_BACKEND_URL: "file:///lab" },
    });
    expect(stackEnvironment(project, "prod", {})).toEqual({ stack: "prod", variables: {} });
  });
});
