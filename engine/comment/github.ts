import * as v from "valibot";
import { usualMaxBytes } from "./body.ts";
import type { Forge } from "./forge.ts";

const viewer = v.object({ data: v.object({ viewer: v.object({ login: v.string() }) }) });
const comments = v.array(
  v.object({
    id: v.number(),
    body: v.nullish(v.string(), ""),
    // Null when the account was deleted.
    user: v.nullable(v.object({ login: v.string() })),
  }),
);

/**
 * GitHub, its Enterprise Server too.
 *
 * The account is asked for by GraphQL: a workflow's own token may not `GET /user`.
 * Source: docs.github.com, REST API, "Issue comments", "Using pagination"; the limit is in the answer 422 to a longer one.
 */
export function github(apiUrl: string, graphqlUrl: string, repository: string, pullRequest: number): Forge {
  const repo = `${apiUrl}/repos/${repository.split("/").map(encodeURIComponent).join("/")}`;
  const listUrl = `${repo}/issues/${pullRequest}/comments`;
  return {
    name: "GitHub",
    maxCommentBytes: usualMaxBytes,
    rights: "pull-requests: write (fine-grained tokens and workflows), or the scope repo",
    whoAmI: { method: "POST", url: graphqlUrl, body: { query: "query { viewer { login } }" } },
    accountOf: ({ body }) => {
      const answer = v.safeParse(viewer, body);
      return answer.success ? answer.output.data.viewer.login : undefined;
    },
    firstPage: { method: "GET", url: `${listUrl}?per_page=100` },
    commentsOf: ({ body }) => {
      const answer = v.safeParse(comments, body);
      if (!answer.success) return undefined;
      return answer.output.map(({ id, body, user }) => ({ id: String(id), author: user?.login ?? "", body }));
    },
    nextPage: ({ headers }) => {
      const url = nextLink(headers.get("link"));
      return url === undefined ? undefined : { method: "GET", url };
    },
    create: (body) => ({ method: "POST", url: listUrl, body: { body } }),
    edit: (id, body) => ({ method: "PATCH", url: `${repo}/issues/comments/${id}`, body: { body } }),
    remove: (id) => ({ method: "DELETE", url: `${repo}/issues/comments/${id}` }),
  };
}

/** The target of `rel="next"`. Source: RFC 8288. */
function nextLink(header: string | null): string | undefined {
  const links = (header ?? "").split(/,\s*(?=<)/);
  return links.map((link) => /^\s*<([^>]*)>.*;\s*rel="?next"?/.exec(link)?.[1]).find(Boolean);
}
