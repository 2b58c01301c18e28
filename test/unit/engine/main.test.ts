import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { nodeBinary, projectRoot } from "../../../lab/machine/paths.ts";
import { startForge } from "../../support/forges/forge-server.ts";
import { forgeKinds } from "../../support/forges/forges.ts";
import { answerAsGitea } from "../../support/forges/gitea.ts";

/** Runs the engine where it has no state to read. */
function engine(argv: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const home = mkdtempSync(join(tmpdir(), "regwarden-engine-main-"));
  return spawnSync(nodeBinary, ["engine/main.ts", ...argv], {
    cwd: projectRoot,
    encoding: "utf8",
    env: { PATH: process.env.PATH, HOME: home, PULUMI_BACKEND_URL: `file://${home}/missing`, ...environment },
    timeout: 60_000,
  });
}

describe("the engine's program", { timeout: 60_000 }, () => {
  test("leaves no table of an earlier preview when it fails", () => {
    const file = join(mkdtempSync(join(tmpdir(), "regwarden-markdown-")), "preview.md");
    writeFileSync(file, "| of yesterday |");
    expect(engine(["preview", "--stack", "nowhere", "--markdown", file]).status).toBe(1);
    expect(readFileSync(file, "utf8")).toBe("");
  });

  test("says on the pull request that the preview failed, and why, and fails itself", async () => {
    const forge = await startForge(answerAsGitea);
    const [forgejo] = forgeKinds;
    const variables = forgejo?.variables(forge.url, "1".repeat(40)) ?? {};
    const home = mkdtempSync(join(tmpdir(), "regwarden-engine-main-"));
    const { exitCode, all } = await execa(
      nodeBinary,
      ["engine/main.ts", "preview", "--stack", "nowhere", "--comment"],
      {
        cwd: projectRoot,
        reject: false,
        all: true,
        extendEnv: false,
        env: {
          PATH: process.env.PATH ?? "",
          HOME: home,
          STACK_ENVIRONMENT: `PULUMI_BACKEND_URL=file://${home}/missing`,
          ...variables,
        },
      },
    );
    expect([exitCode, forge.comments.length], all).toEqual([1, 1]);
    expect(forge.comments[0]?.body).toMatch(
      /^<!-- .*\n### Stack `nowhere`: the preview failed at `1111111111`\n/,
    );
    expect(all).not.toContain(variables.FORGE_TOKEN);
  });

  test("calls a comment without a pull request a usage error, before it runs anything", () => {
    const { status, stderr } = engine(["preview", "--stack", "nowhere", "--comment"]);
    expect([status, stderr]).toEqual([
      2,
      expect.stringContaining("this is none of Woodpecker (CI_FORGE_TYPE)"),
    ]);
  });

  test("calls an unknown option a usage error, and prints the usage", () => {
    const { status, stderr } = engine(["preview", "--unknown"]);
    expect([status, stderr]).toEqual([2, expect.stringContaining("Usage: npm run preview|up|drift|destroy")]);
    expect(stderr).toContain("'--unknown'");
  });

  test("calls a webhook that is none a usage error, without showing it", () => {
    const { status, stdout, stderr } = engine(["drift", "--stack", "nowhere"], { SLACK_WEBHOOK: "s3cret" });
    expect(status).toBe(2);
    expect(stdout + stderr).not.toContain("s3cret");
  });
});
