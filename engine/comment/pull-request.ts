import { UsageError } from "../args.ts";
import type { Forge } from "./forge.ts";
import { gitea } from "./gitea.ts";
import { github } from "./github.ts";
import { gitlab } from "./gitlab.ts";

/** The pull request that a run belongs to, and how its forge is asked. */
export interface PullRequest {
  readonly forge: Forge;
  /** A secret: it goes into the header of requests, and nowhere else. */
  readonly token: string;
  readonly commit: string | undefined;
  readonly runUrl: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Variable with the token, the same for every forge and CI system. */
export const tokenVariable = "FORGE_TOKEN";

/**
 * What the CI system's variables say. `readFile` reads the event that GitHub's runner leaves in a file.
 *
 * Errors: UsageError that names the variables that are missing; no value of one is in it.
 */
export function pullRequestOf(environment: Environment, readFile: (path: string) => string): PullRequest {
  const where = ofWoodpecker(environment) ?? ofActions(environment, readFile) ?? ofGitlab(environment);
  if (where === undefined) {
    throw new UsageError(
      "--comment belongs to a pipeline of a pull request: this is none of Woodpecker (CI_FORGE_TYPE), GitHub, Gitea or Forgejo Actions (GITHUB_ACTIONS), GitLab CI (GITLAB_CI).",
    );
  }
  return { ...where, token: needed(environment, tokenVariable) };
}

type Where = Omit<PullRequest, "token">;

/** Source: woodpecker-ci.org, "Built-in environment variables". */
function ofWoodpecker(environment: Environment): Where | undefined {
  const { CI_FORGE_TYPE: type = "" } = environment;
  if (type === "") return undefined;
  const base = needed(environment, "CI_FORGE_URL").replace(/\/+$/, "");
  const repository = needed(environment, "CI_REPO");
  const number = numberOf(environment, "CI_COMMIT_PULL_REQUEST");
  return {
    forge: forgeOf(type, base, repository, number),
    commit: environment.CI_COMMIT_SHA,
    runUrl: environment.CI_PIPELINE_URL,
  };
}

function forgeOf(type: string, base: string, repository: string, number: number): Forge {
  if (type === "forgejo") return gitea("Forgejo", `${base}/api/v1`, repository, number);
  if (type === "gitea") return gitea("Gitea", `${base}/api/v1`, repository, number);
  if (type === "gitlab") return gitlab(`${base}/api/v4`, repository, number);
  if (type !== "github")
    throw new UsageError(
      `CI_FORGE_TYPE is ${JSON.stringify(type)}: --comment knows forgejo, gitea, github and gitlab.`,
    );
  return new URL(base).hostname === "github.com"
    ? github("https://api.github.com", "https://api.github.com/graphql", repository, number)
    : github(`${base}/api/v3`, `${base}/api/graphql`, repository, number);
}

/** Gitea's and Forgejo's runners set GitHub's variables too. Source: docs.github.com, "Variables reference". */
function ofActions(environment: Environment, readFile: (path: string) => string): Where | undefined {
  if (environment.GITHUB_ACTIONS !== "true") return undefined;
  const apiUrl = needed(environment, "GITHUB_API_URL").replace(/\/+$/, "");
  const repository = needed(environment, "GITHUB_REPOSITORY");
  const event = eventOf(readFile(needed(environment, "GITHUB_EVENT_PATH")));
  if (event === undefined)
    throw new UsageError("--comment belongs to a pull request, and GITHUB_EVENT_PATH names none.");
  const { GITHUB_SERVER_URL: server, GITHUB_RUN_ID: run } = environment;
  return {
    forge:
      environment.GITEA_ACTIONS === "true" || environment.FORGEJO_ACTIONS === "true"
        ? gitea("Forgejo or Gitea", apiUrl, repository, event.number)
        : github(apiUrl, needed(environment, "GITHUB_GRAPHQL_URL"), repository, event.number),
    // GITHUB_SHA is a merge commit that is on no branch.
    commit: event.commit ?? environment.GITHUB_SHA,
    runUrl: server && run ? `${server}/${repository}/actions/runs/${run}` : undefined,
  };
}

function eventOf(text: string): { number: number; commit: string | undefined } | undefined {
  const { pull_request: request } = JSON.parse(text) as {
    pull_request?: { number?: number; head?: { sha?: string } };
  };
  if (typeof request?.number !== "number") return undefined;
  return { number: request.number, commit: request.head?.sha };
}

/** Source: docs.gitlab.com, "Predefined CI/CD variables reference". */
function ofGitlab(environment: Environment): Where | undefined {
  if (environment.GITLAB_CI !== "true") return undefined;
  const apiUrl = needed(environment, "CI_API_V4_URL").replace(/\/+$/, "");
  const project = needed(environment, "CI_MERGE_REQUEST_PROJECT_ID");
  return {
    forge: gitlab(apiUrl, project, numberOf(environment, "CI_MERGE_REQUEST_IID")),
    // In a pipeline of the merged result, CI_COMMIT_SHA is on no branch; this variable is empty elsewhere.
    commit: environment.CI_MERGE_REQUEST_SOURCE_BRANCH_SHA || environment.CI_COMMIT_SHA,
    runUrl: environment.CI_JOB_URL,
  };
}

function needed(environment: Environment, name: string): string {
  const value = environment[name];
  if (value === undefined || value === "") throw new UsageError(`--comment needs the variable ${name}.`);
  return value;
}

function numberOf(environment: Environment, name: string): number {
  const number = Number(needed(environment, name));
  if (!Number.isSafeInteger(number) || number < 1)
    throw new UsageError(`--comment needs the number of a pull request in ${name}.`);
  return number;
}
