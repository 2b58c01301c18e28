import * as v from "valibot";
import { usualMaxBytes } from "./body.ts";
import type { Forge, ForgeRequest } from "./forge.ts";

const account = v.object({ login: v.string() });
const comments = v.array(
  v.object({ id: v.number(), body: v.string(), user: v.nullable(v.object({ login: v.string() })) }),
);

/**
 * Forgejo and Gitea, whose API is the same here.
 *
 * They set no limit of their own (the column takes as much as the database does): GitHub's is kept, as a longer comment
 * helps no reader. Their list has no pages today, only the header with the count; pages are asked for all the same, and
 * a page that brings nothing new is the last.
 * Source: gitea routers/api/v1/repo/issue_comment.go, forgejo the same.
 */
export function gitea(name: string, apiUrl: string, repository: string, pullRequest: number): Forge {
  const repo = `${apiUrl}/repos/${repository.split("/").map(encodeURIComponent).join("/")}`;
  const listUrl = `${repo}/issues/${pullRequest}/comments`;
  const page = (number: number): ForgeRequest => ({
    method: "GET",
    url: `${listUrl}?limit=50&page=${number}`,
  });
  return {
    name,
    maxCommentBytes: usualMaxBytes,
    rights: "the scopes write:issue and read:user, and read access to the repository",
    whoAmI: { method: "GET", url: `${apiUrl}/user` },
    accountOf: ({ body }) => {
      const answer = v.safeParse(account, body);
      return answer.success ? answer.output.login : undefined;
    },
    firstPage: page(1),
    commentsOf: ({ body }) => {
      const answer = v.safeParse(comments, body);
      if (!answer.success) return undefined;
      return answer.output.map(({ id, body, user }) => ({ id: String(id), author: user?.login ?? "", body }));
    },
    nextPage: ({ headers }, read) => {
      const total = headers.get("x-total-count");
      const isLast = read.added === 0 || (total !== null && read.comments >= Number(total));
      return isLast ? undefined : page(read.pages + 1);
    },
    create: (body) => ({ method: "POST", url: listUrl, body: { body } }),
    edit: (id, body) => ({ method: "PATCH", url: `${repo}/issues/comments/${id}`, body: { body } }),
    remove: (id) => ({ method: "DELETE", url: `${repo}/issues/comments/${id}` }),
  };
}
