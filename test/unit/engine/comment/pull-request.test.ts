import { describe, expect, test } from "vitest";
import { UsageError } from "../../../../engine/args.ts";
import { pullRequestOf } from "../../../../engine/comment/pull-request.ts";
import { forgeKinds } from "../../../support/forges/forges.ts";

const read = (text: string) => text;
const variablesOf = (name: string) => {
  const kind = forgeKinds.find((candidate) => candidate.name === name);
  return { ...kind?.variables("https://forge.example.com", "abc") };
};
const listUrl = (environment: Record<string, string>) => pullRequestOf(environment, read).forge.firstPage.url;

describe("the pull request of a pipeline", () => {
  test.each([
    [
      "forgejo",
      "https://forge.example.com",
      "https://forge.example.com/api/v1/repos/infra/regwarden/issues/12/comments?limit=50&page=1",
    ],
    [
      "gitea",
      "https://forge.example.com/sub/",
      "https://forge.example.com/sub/api/v1/repos/infra/regwarden/issues/12/comments?limit=50&page=1",
    ],
    [
      "github",
      "https://github.com",
      "https://api.github.com/repos/infra/regwarden/issues/12/comments?per_page=100",
    ],
    [
      "github",
      "https://ghe.example.com",
      "https://ghe.example.com/api/v3/repos/infra/regwarden/issues/12/comments?per_page=100",
    ],
    [
      "gitlab",
      "https://gitlab.com",
      "https://gitlab.com/api/v4/projects/infra%2Fregwarden/merge_requests/12/notes?sort=asc&order_by=created_at&per_page=100&page=1",
    ],
  ])("in Woodpecker with %s at %s", (type, url, expected) => {
    expect(listUrl({ ...variablesOf("forgejo"), CI_FORGE_TYPE: type, CI_FORGE_URL: url })).toBe(expected);
  });

  test("in the Actions of Forgejo and Gitea, which set GitHub's variables too", () => {
    const variables = {
      ...variablesOf("github"),
      GITHUB_API_URL: "https://forge.example.com/api/v1",
      GITEA_ACTIONS: "true",
    };
    expect(listUrl(variables)).toBe(
      "https://forge.example.com/api/v1/repos/infra/regwarden/issues/12/comments?limit=50&page=1",
    );
  });

  test("has the commit that was pushed, not the one that the CI system merged", () => {
    const commit = (variables: Record<string, string>) => pullRequestOf(variables, read).commit;
    expect(commit(variablesOf("github"))).toBe("abc");
    expect(commit({ ...variablesOf("gitlab"), CI_MERGE_REQUEST_SOURCE_BRANCH_SHA: "def" })).toBe("def");
    expect(commit({ ...variablesOf("gitlab"), CI_MERGE_REQUEST_SOURCE_BRANCH_SHA: "" })).toBe("abc");
  });

  test.each<[string, Record<string, string>, string]>([
    ["nothing of a CI system", {}, "this is none of Woodpecker"],
    [
      "a forge that is not known",
      { ...variablesOf("forgejo"), CI_FORGE_TYPE: "bitbucket" },
      'CI_FORGE_TYPE is "bitbucket"',
    ],
    ["a push", { ...variablesOf("forgejo"), CI_COMMIT_PULL_REQUEST: "" }, "CI_COMMIT_PULL_REQUEST"],
    [
      "a number that is none",
      { ...variablesOf("gitlab"), CI_MERGE_REQUEST_IID: "12a" },
      "CI_MERGE_REQUEST_IID",
    ],
    [
      "an event of no pull request",
      { ...variablesOf("github"), GITHUB_EVENT_PATH: "{}" },
      "GITHUB_EVENT_PATH names none",
    ],
    ["no token", { ...variablesOf("gitlab"), FORGE_TOKEN: "" }, "FORGE_TOKEN"],
  ])("cannot be known from %s", (_, variables, message) => {
    expect(() => pullRequestOf(variables, read)).toThrow(UsageError);
    expect(() => pullRequestOf(variables, read)).toThrow(message);
  });
});
