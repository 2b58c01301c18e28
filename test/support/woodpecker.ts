import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { load } from "js-yaml";

/** What Woodpecker makes of a workflow file. Source: woodpecker v3, pipeline/frontend and pipeline/backend/common. */

export const root = join(import.meta.dirname, "../..");

export interface Secret {
  readonly from_secret: string;
}

export interface Step {
  readonly name: string;
  readonly image: string;
  readonly environment?: Readonly<Record<string, Secret>>;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly commands?: readonly string[];
}

export interface Condition {
  readonly event: string;
  readonly branch?: string;
  readonly cron?: string;
  readonly path?: string;
  readonly evaluate?: string;
}

export interface Workflow {
  readonly when: readonly Condition[];
  readonly steps: readonly Step[];
}

export const workflowNames = globSync(".woodpecker/*", { cwd: root }).map((path) => basename(path, ".yaml"));

export function workflowText(name: string): string {
  return readFileSync(join(root, `.woodpecker/${name}.yaml`), "utf8");
}

/**
 * The replacement that the server makes in the whole text before it parses it. Source: drone/envsubst v1.0.3, of which
 * this takes what we use and refuses the rest.
 */
export function expand(text: string, variables: Readonly<Record<string, string>>): string {
  const pattern = /\$\$|\$\{(?:(\w+)(?::-([^}]*))?\})?/g;
  return text.replace(pattern, (found: string, name: string | undefined, otherwise: string | undefined) => {
    if (found === "$$") return "$";
    if (name === undefined) throw new Error(`no plain substitution: ${found}`);
    const value = variables[name] || (otherwise ?? "");
    return value.includes("\n") ? JSON.stringify(value) : value;
  });
}

export function loadWorkflow(name: string, variables: Readonly<Record<string, string>> = {}): Workflow {
  return load(expand(workflowText(name), variables)) as Workflow;
}

/** The script of a step as the agent makes it: each command is shown, then run. */
export function scriptOf(step: Step): string {
  return (step.commands ?? [])
    .map((command) => `\necho + '${command.replaceAll("'", `'"'"'`)}'\n${command}\n`)
    .join("");
}

/** Runs a step as an agent does: the script comes by standard input, to a shell that ends at the first failure. */
export function runStep(step: Step, cwd: string, environment: Readonly<Record<string, string>>) {
  const CI_SCRIPT = Buffer.from(`unset CI_SCRIPT\n${scriptOf(step)}`).toString("base64");
  const { status, stdout, stderr } = spawnSync(
    "/bin/sh",
    ["-c", "echo $CI_SCRIPT | base64 -d | /bin/sh -e"],
    { cwd, env: { ...environment, CI_SCRIPT }, encoding: "utf8", timeout: 30_000 },
  );
  return { status, output: stdout + stderr };
}

export interface Situation {
  readonly event: string;
  readonly branch: string;
  readonly cron?: string;
  readonly files?: readonly string[];
  /** Given by hand with a manual run. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** Whether a workflow starts. Source: pipeline/frontend/yaml/constraint/constraint.go. */
export function starts({ when }: Workflow, situation: Situation): boolean {
  return when.some((condition) => isMet(condition, situation));
}

function isMet(condition: Condition, situation: Situation): boolean {
  const { event, branch, cron, files = [], variables = {} } = situation;
  if (condition.event !== event) return false;
  if (condition.branch !== undefined && event !== "tag" && condition.branch !== branch) return false;
  if (condition.cron !== undefined && event === "cron" && condition.cron !== cron) return false;
  if (condition.path !== undefined && event === "push" && !files.includes(condition.path)) return false;
  if (condition.evaluate === undefined) return true;
  const [, name = "", value] = /^(\w+) == "([^"]*)"$/.exec(condition.evaluate) ?? [];
  return value !== undefined && (variables[name] ?? "") === value;
}
