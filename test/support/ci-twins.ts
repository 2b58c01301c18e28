import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { loadWorkflow, root, type Step } from "./woodpecker.ts";

/** A step of any CI system: which variables it has, and its shell lines. */
export interface CiStep {
  readonly image: string;
  readonly variables: readonly string[];
  readonly commands: readonly string[];
}

/** By the pipeline's name: the step that installs, then the one that runs. */
export type CiPipelines = Readonly<Record<"preview" | "up" | "drift", readonly CiStep[]>>;

const names = ["preview", "up", "drift"] as const;

export function twinText(file: string): string {
  return readFileSync(join(root, "docs/ci", file), "utf8");
}

function byName(stepsOf: (name: (typeof names)[number]) => CiStep[]): CiPipelines {
  return { preview: stepsOf("preview"), up: stepsOf("up"), drift: stepsOf("drift") };
}

export function woodpeckerPipelines(): CiPipelines {
  return byName((name) =>
    loadWorkflow(name).steps.map(({ image, environment = {}, commands = [] }) => ({
      image,
      variables: Object.keys(environment),
      commands: linesOf(commands),
    })),
  );
}

interface GithubJob {
  readonly container: string;
  readonly steps: readonly { run?: string; env?: Record<string, string> }[];
}

export function githubPipelines(): CiPipelines {
  const { jobs } = load(twinText("github.yaml")) as { jobs: Record<string, GithubJob> };
  return byName((name) => {
    const { container, steps } = found(jobs, name);
    return steps.flatMap(({ run, env = {} }) =>
      run === undefined ? [] : [{ image: container, variables: Object.keys(env), commands: linesOf([run]) }],
    );
  });
}

interface GitlabJob {
  readonly image: string;
  readonly script: readonly string[];
}

/** GitLab's jobs name no variables: they get those of their environment. */
export function gitlabPipelines(): CiPipelines {
  const jobs = load(twinText("gitlab.yaml")) as Record<string, GitlabJob>;
  const step = (name: string): CiStep => {
    const { image, script } = found(jobs, name);
    return { image, variables: [], commands: linesOf(script) };
  };
  return byName((name) => [step("install"), step(name)]);
}

/** A step in the form that {@link runStep} takes; each of its lines is a part of one script. */
export function asStep({ image, commands }: CiStep): Step {
  return { name: "step", image, commands: [commands.join("\n")] };
}

function linesOf(commands: readonly string[]): string[] {
  return commands.flatMap((command) => command.trimEnd().split("\n"));
}

function found<T>(table: Readonly<Record<string, T>>, name: string): T {
  const value = table[name];
  if (value === undefined) throw new Error(`no job ${name}`);
  return value;
}
