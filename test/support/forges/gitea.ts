import { type Answerer, type Asked, goodToken, type Kept, ownAccount, type Reply } from "./forge-server.ts";

const list = "/api/v1/repos/infra/regwarden/issues/12/comments";
const one = /^\/api\/v1\/repos\/infra\/regwarden\/issues\/comments\/(\d+)$/;

/**
 * Gitea and Forgejo: the list knows no pages, and names its length in a header.
 * Source: gitea routers/api/v1/repo/issue_comment.go.
 */
export const answerAsGitea: Answerer = (asked, state): Reply => {
  const { pathname } = new URL(asked.path, state.url);
  if (asked.token !== goodToken)
    return { status: 401, body: { message: "invalid username, password or token" } };
  if (pathname === "/api/v1/user") return { status: 200, body: { id: 7, login: ownAccount } };
  const id = Number(one.exec(pathname)?.[1]);
  const kept = state.comments.find((comment) => comment.id === id);
  if (pathname === list && asked.method === "GET") {
    const total = String(state.comments.length);
    return { status: 200, body: state.comments.map(shown), headers: { "x-total-count": total } };
  }
  if (pathname === list && asked.method === "POST")
    return { status: 201, body: shown(state.write(ownAccount, bodyOf(asked))) };
  if (kept === undefined)
    return { status: 404, body: { message: "The target couldn't be found.", errors: [] } };
  if (asked.method === "PATCH") {
    kept.body = bodyOf(asked);
    return { status: 200, body: shown(kept) };
  }
  state.comments.splice(state.comments.indexOf(kept), 1);
  return { status: 204 };
};

/** The same with pages, should the list get them. */
export const answerAsPagedGitea: Answerer = (asked, state) => {
  const reply = answerAsGitea(asked, state);
  const { searchParams } = new URL(asked.path, state.url);
  if (!Array.isArray(reply.body)) return reply;
  const [page, limit] = [Number(searchParams.get("page")), Number(searchParams.get("limit"))];
  return { ...reply, body: reply.body.slice((page - 1) * limit, page * limit) };
};

function bodyOf({ body }: Asked): string {
  return (JSON.parse(body) as { body: string }).body;
}

function shown({ id, author, body }: Kept) {
  return { id, body, user: { id: 7, login: author }, original_author: "", assets: [] };
}
