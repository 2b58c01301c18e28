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
import {
  asStep,
  type CiPipelines,
  githubPipelines,
  gitlabPipelines,
  woodpeckerPipelines,
} from "../../support/ci-twins.ts";
import { loadWorkflow, runStep, type Step } from "../../support/woodpecker.ts";

/** A stand-in for what a step starts. It reads all of its input, as the script itself comes by standard input. */
const npm = `#!/bin/sh
cat > /dev/null
echo "npm $*" >> calls
case "$1" in
  ci) exit "\${CI_EXIT:-0}" ;;
esac
exit "\${RUN_EXIT:-0}"
`;

const secrets = {
  PULUMI_STACK: "prod",
  STACK_CONFIG: 'config:\n  a: "$HOME `id` %s"',
  STACK_ENVIRONMENT: "SLACK_WEBHOOK=https://hooks.example.com/secret\nA=$(touch called)`touch called`",
  FORGE_TOKEN: "token-of-the-forge",
};

function sandbox(): string {
  const directory = mkdtempSync(join(tmpdir(), "regwarden-pipeline-"));
  mkdirSync(join(directory, "bin"));
  writeFileSync(join(directory, "bin/npm"), npm);
  chmodSync(join(directory, "bin/npm"), 0o755);
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

const systems: readonly (readonly [string, CiPipelines])[] = [
  ["Woodpecker", woodpeckerPipelines()],
  ["GitHub Actions", githubPipelines()],
  ["GitLab CI", gitlabPipelines()],
];
const pipelines = [
  ["preview", "npm run preview -- --comment"],
  ["up", "npm run up -- --yes"],
  ["drift", "npm run drift"],
] as const;

describe.each(systems)("with %s,", (system, all) => {
  describe.each(pipelines)("%s", (name, command) => {
    const [install, main] = all[name].map(asStep);
    if (!install || !main) throw new Error(`${system} has no steps for ${name}`);

    test("installs in a step that has no variables", () => {
      expect(run(install)).toMatchObject({ status: 0, calls: ["npm ci"] });
      expect(all[name][0]?.variables).toEqual([]);
      expect(run(install, { CI_EXIT: "1" }).status).toBe(1);
    });

    test("runs the command of a person, and gives nothing of a secret to the shell", () => {
      const { status, calls, text } = run(main);
      expect({ status, calls, called: text("called") }).toEqual({ status: 0, calls: [command], called: "" });
    });

    test("writes the stack's configuration as it is, readable for its own user alone", () => {
      const { text, directory } = run(main);
      expect(text("Pulumi.prod.yaml")).toBe(`${secrets.STACK_CONFIG}\n`);
      expect(statSync(join(directory, "Pulumi.prod.yaml")).mode & 0o777).toBe(0o600);
    });

    test.each(["1", "2"])("fails with %s when the command does", (code) => {
      expect(run(main, { RUN_EXIT: code }).status).toBe(Number(code));
    });

    test("shows no secret", () => {
      const { output } = run(main, { RUN_EXIT: "1" });
      for (const secret of [secrets.STACK_CONFIG, "hooks.example.com", secrets.FORGE_TOKEN])
        expect(output).not.toContain(secret);
    });

    test("has the steps and the variables that it has everywhere", () => {
      const [, woodpecker] = systems[0] ?? [];
      expect(all[name].map(({ image, commands }) => ({ image, commands }))).toEqual(
        woodpecker?.[name].map(({ image, commands }) => ({ image, commands })),
      );
      // GitLab's jobs have the variables of their environment.
      if (system !== "GitLab CI") expect(all[name][1]?.variables).toEqual(woodpecker?.[name][1]?.variables);
    });
  });

  test("takes drift that was found for a warning, since the alert carries it; in `up` the same code is a failure", () => {
    const step = (name: "drift" | "up") => asStep(all[name][1] ?? { image: "", variables: [], commands: [] });
    const { status, output } = run(step("drift"), { RUN_EXIT: "7" });
    expect(status).toBe(0);
    expect(output).toMatch(/^WARNING: the stack drifted/m);
    expect(run(step("drift")).output).not.toMatch(/^WARNING/m);
    expect(run(step("up"), { RUN_EXIT: "7" }).status).toBe(7);
  });
});

describe("the CI image", () => {
  const steps = loadWorkflow("build-ci-image").steps;
  const step = steps.find(({ name }) => name === "verify") ?? { name: "", image: "" };
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
    expect({ status, calls }).toEqual({ status: 0, calls: [command] });
    expect(output).not.toContain("its password");
  });

  test.each([1, 3])("that is not complete, or could not be checked, fails the pipeline: %i", (code) => {
    expect(verify(code).status).toBe(code);
  });
});
