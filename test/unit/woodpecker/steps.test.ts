import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadWorkflow, runStep, type Step } from "../../support/woodpecker.ts";

/** Stand-ins for what a step starts. They read all of their input, as the script itself comes by standard input. */
const stubs = {
  npm: `#!/bin/sh
cat > /dev/null
echo "npm $*" >> calls
case "$1" in
  ci) exit "\${CI_EXIT:-0}" ;;
esac
[ -z "$MARKDOWN" ] || printf '%s' "$MARKDOWN" > preview.md
exit "\${RUN_EXIT:-0}"
`,
  curl: `#!/bin/sh
printf 'curl %s\\n' "$*" >> calls
cat >> standard-input
exit "\${CURL_EXIT:-0}"
`,
};

const secrets = {
  PULUMI_STACK: "prod",
  STACK_CONFIG: 'config:\n  a: "$HOME `id` %s"',
  FORGE_TOKEN: "token-of-the-forge",
  SLACK_WEBHOOK: "https://hooks.example.com/secret",
};

function stepOf(workflow: string, name: string): Step {
  const step = loadWorkflow(workflow).steps.find((candidate) => candidate.name === name);
  if (!step) throw new Error(`no step ${name} in ${workflow}`);
  return step;
}

function sandbox(): string {
  const directory = mkdtempSync(join(tmpdir(), "regwarden-pipeline-"));
  mkdirSync(join(directory, "bin"));
  for (const [name, text] of Object.entries(stubs)) {
    writeFileSync(join(directory, "bin", name), text);
    chmodSync(join(directory, "bin", name), 0o755);
  }
  symlinkSync(process.execPath, join(directory, "bin/node"));
  return directory;
}

function run(step: Step, settings: Record<string, string> = {}, directory = sandbox()) {
  const PATH = `${join(directory, "bin")}:/usr/bin:/bin`;
  const ended = runStep(step, directory, { ...secrets, HOME: directory, ...settings, PATH });
  const text = (file: string) =>
    existsSync(join(directory, file)) ? readFileSync(join(directory, file), "utf8") : "";
  return { ...ended, directory, text, calls: text("calls").split("\n").filter(Boolean) };
}

describe.each([
  ["preview", "npm run preview -- --markdown preview.md"],
  ["up", "npm run up -- --yes"],
  ["drift", "npm run drift"],
])("%s", (name, command) => {
  const step = stepOf(name, name);

  test("installs, then runs", () => {
    expect(run(step)).toMatchObject({ status: 0, calls: ["npm ci", command] });
  });

  test("writes the stack's configuration as it is, readable for its own user alone", () => {
    const { text, directory } = run(step);
    expect(text("Pulumi.prod.yaml")).toBe(`${secrets.STACK_CONFIG}\n`);
    expect(statSync(join(directory, "Pulumi.prod.yaml")).mode & 0o777).toBe(0o600);
  });

  test("fails, and runs nothing, when the installation fails", () => {
    expect(run(step, { CI_EXIT: "1" })).toMatchObject({ status: 1, calls: ["npm ci"] });
  });

  test.each(["1", "2"])("fails with %s when the command does", (code) => {
    expect(run(step, { RUN_EXIT: code }).status).toBe(Number(code));
  });

  test("shows no secret", () => {
    const { output } = run(step, { RUN_EXIT: "1" });
    for (const secret of [secrets.STACK_CONFIG, secrets.SLACK_WEBHOOK]) expect(output).not.toContain(secret);
  });
});

describe("the CI image", () => {
  const step = stepOf("build-ci-image", "verify");
  const program = (exitCode: number) => `
    const { appendFileSync } = await import("node:fs");
    const { argv, env } = process;
    appendFileSync("calls", ["regwarden", ...argv.slice(2)].join(" ") + "\\n");
    process.exitCode = env.REG_USER === "ci" && env.REG_PASS === "its password" ? ${exitCode} : 2;`;
  const verify = (exitCode: number) => {
    const directory = sandbox();
    mkdirSync(join(directory, "dist"));
    writeFileSync(join(directory, "dist/regwarden.mjs"), program(exitCode));
    const settings = { IMAGE_REPOSITORY: "r.example:5050/ci", CI_COMMIT_SHA: "abc", REG_USER: "ci" };
    return run(step, { ...settings, REG_PASS: "its password" }, directory);
  };

  test("is verified by its commit, with the account of the push and no password in an argument", () => {
    const { status, calls, output } = verify(0);
    const command = "regwarden verify --platform linux/amd64 --wait 30 r.example:5050/ci:abc";
    expect({ status, calls }).toEqual({ status: 0, calls: ["npm ci", "npm run --silent build", command] });
    expect(output).not.toContain("its password");
  });

  test.each([1, 3])("that is not complete, or could not be checked, fails the pipeline: %i", (code) => {
    expect(verify(code).status).toBe(code);
  });
});

describe("drift", () => {
  test("that was found is a warning, since the alert carries it; in `up` the same code is a failure", () => {
    const { status, output } = run(stepOf("drift", "drift"), { RUN_EXIT: "7" });
    expect(status).toBe(0);
    expect(output).toMatch(/^WARNING: the stack drifted/m);
    expect(run(stepOf("drift", "drift")).output).not.toMatch(/^WARNING/m);
    expect(run(stepOf("up", "up"), { RUN_EXIT: "7" }).status).toBe(7);
  });
});

describe("the comment", () => {
  const comment = stepOf("preview", "comment");
  const forge = {
    CI_FORGE_TYPE: "forgejo",
    CI_FORGE_URL: "https://git.example.com",
    CI_REPO: "owner/repo",
    CI_COMMIT_PULL_REQUEST: "12",
  };
  const previewed = (markdown: string) => run(stepOf("preview", "preview"), { MARKDOWN: markdown }).directory;

  test("is the preview's table, with the token neither in an argument nor in the log", () => {
    const table = '| `a"b` | $HOME |\n';
    const { status, calls, text, output } = run(comment, forge, previewed(table));
    expect(status).toBe(0);
    expect(JSON.parse(text("comment.json"))).toEqual({ body: table });
    expect(calls.at(-1)).toMatch(
      /https:\/\/git\.example\.com\/api\/v1\/repos\/owner\/repo\/issues\/12\/comments$/,
    );
    expect(text("standard-input")).toBe("Authorization: token token-of-the-forge\n");
    expect(calls.join() + output).not.toContain(secrets.FORGE_TOKEN);
  });

  test("goes to GitHub's own host there", () => {
    const { calls } = run(comment, { ...forge, CI_FORGE_TYPE: "github" }, previewed("x"));
    expect(calls.at(-1)).toMatch(/https:\/\/api\.github\.com\/repos\/owner\/repo\/issues\/12\/comments$/);
  });

  test("is left out when nothing changes", () => {
    const { status, calls } = run(comment, forge, previewed(""));
    expect(status).toBe(0);
    expect(calls.filter((call) => call.startsWith("curl"))).toEqual([]);
  });

  test("that the forge refuses fails the pipeline", () => {
    expect(run(comment, { ...forge, CURL_EXIT: "22" }, previewed("x")).status).toBe(22);
  });
});
