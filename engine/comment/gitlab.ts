import * as v from "valibot";
import type { Forge, ForgeRequest } from "./forge.ts";

const account = v.object({ username: v.string() });
const notes = v.array(
  v.object({
    id: v.number(),
    body: v.string(),
    author: v.object({ username: v.string() }),
    system: v.boolean(),
  }),
);

/**
 * GitLab. A job's own token may not comment: it takes a project access token.
 *
 * `project` is an id, or a path with all its groups.
 * Source: docs.gitlab.com, "Notes API", "REST API: Pagination", "Instance limits" (1 MiB a comment).
 */
export function gitlab(apiUrl: string, project: string, mergeRequest: number): Forge {
  const listUrl = `${apiUrl}/projects/${encodeURIComponent(project)}/merge_requests/${mergeRequest}/notes`;
  const page = (number: string): ForgeRequest => ({
    method: "GET",
    url: `${listUrl}?sort=asc&order_by=created_at&per_page=100&page=${encodeURIComponent(number)}`,
  });
  return {
    name: "GitLab",
    maxCommentBytes: 1_048_576,
    rights: "the scope api and the role Reporter, as a project access token has them",
    whoAmI: { method: "GET", url: `${apiUrl}/user` },
    accountOf: ({ body }) => {
      const answer = v.safeParse(account, body);
      return answer.success ? answer.output.username : undefined;
    },
    firstPage: page("1"),
    commentsOf: ({ body }) => {
      const answer = v.safeParse(notes, body);
      if (!answer.success) return undefined;
      return answer.output
        .filter(({ system }) => !system)
        .map(({ id, body, author }) => ({ id: String(id), author: author.username, body }));
    },
    nextPage: ({ headers }) => {
      const next = headers.get("x-next-page") ?? "";
      return next === "" ? undefined : page(next);
    },
    create: (body) => ({ method: "POST", url: listUrl, body: { body } }),
    edit: (id, body) => ({ method: "PUT", url: `${listUrl}/${id}`, body: { body } }),
    remove: (id) => ({ method: "DELETE", url: `${listUrl}/${id}` }),
  };
}
