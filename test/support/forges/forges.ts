import { type Answerer, goodToken } from "./forge-server.ts";
import { answerAsGitea } from "./gitea.ts";
import { answerAsGithub } from "./github.ts";
import { answerAsGitlab } from "./gitlab.ts";

/** A kind of forge, with the variables of a pull request's pipeline there. */
export interface ForgeKind {
  readonly name: string;
  readonly answer: Answerer;
  readonly variables: (url: string, commit: string) => Readonly<Record<string, string>>;
}

export const forgeKinds: readonly ForgeKind[] = [
  {
    name: "forgejo",
    answer: answerAsGitea,
    variables: (url, commit) => ({
      CI_FORGE_TYPE: "forgejo",
      CI_FORGE_URL: url,
      CI_REPO: "infra/regwarden",
      CI_COMMIT_PULL_REQUEST: "12",
      CI_COMMIT_SHA: commit,
      CI_PIPELINE_URL: "https://ci.example.com/repos/3/pipeline/41",
      FORGE_TOKEN: goodToken,
    }),
  },
  {
    name: "github",
    answer: answerAsGithub,
    variables: (url, commit) => ({
      GITHUB_ACTIONS: "true",
      GITHUB_API_URL: url,
      GITHUB_GRAPHQL_URL: `${url}/graphql`,
      GITHUB_SERVER_URL: "https://github.com",
      GITHUB_REPOSITORY: "infra/regwarden",
      GITHUB_RUN_ID: "4711",
      GITHUB_SHA: "of-a-merge-commit",
      // Read by the test's own reader of files.
      GITHUB_EVENT_PATH: JSON.stringify({ pull_request: { number: 12, head: { sha: commit } } }),
      FORGE_TOKEN: goodToken,
    }),
  },
  {
    name: "gitlab",
    answer: answerAsGitlab,
    variables: (url, commit) => ({
      GITLAB_CI: "true",
      CI_API_V4_URL: `${url}/api/v4`,
      CI_MERGE_REQUEST_PROJECT_ID: "42",
      CI_MERGE_REQUEST_IID: "12",
      CI_COMMIT_SHA: commit,
      CI_JOB_URL: "https://gitlab.example.com/infra/regwarden/-/jobs/99",
      FORGE_TOKEN: goodToken,
    }),
  },
];
