import {
  type Answerer,
  type Asked,
  goodToken,
  type Kept,
  ownAccount,
  pageOf,
  type Reply,
} from "./forge-server.ts";

const list = "/repos/infra/regwarden/issues/12/comments";
const one = /^\/repos\/infra\/regwarden\/issues\/comments\/(\d+)$/;

/**
 * GitHub, as its documentation has it: "Issue comments", "Using pagination in the REST API", and GraphQL's `viewer`.
 * A token that may write lets its user edit comments of others too.
 */
export const answerAsGithub: Answerer = (asked, state): Reply => {
  const { pathname, searchParams } = new URL(asked.path, state.url);
  if (asked.token !== goodToken) return { status: 401, body: { message: "Bad credentials", status: "401" } };
  if (pathname === "/graphql") return { status: 200, body: { data: { viewer: { login: ownAccount } } } };
  if (pathname === "/user")
    return { status: 403, body: { message: "Resource not accessible by integration", status: "403" } };
  const id = Number(one.exec(pathname)?.[1]);
  const kept = state.comments.find((comment) => comment.id === id);
  if (pathname === list && asked.method === "GET") {
    const size = Math.min(100, Number(searchParams.get("per_page") ?? "30"));
    const page = Number(searchParams.get("page") ?? "1");
    const last = Math.ceil(state.comments.length / size);
    const link = (to: number, rel: string) =>
      `<${state.url}${list}?per_page=${size}&page=${to}>; rel="${rel}"`;
    const links = page < last ? [link(page + 1, "next"), link(last, "last")] : [];
    return {
      status: 200,
      body: pageOf(state.comments, page, size).map(shown),
      headers: links.length > 0 ? { link: links.join(", ") } : {},
    };
  }
  if (pathname === list && asked.method === "POST")
    return written(asked, (body) => state.write(ownAccount, body), 201);
  if (kept === undefined) return { status: 404, body: { message: "Not Found", status: "404" } };
  if (asked.method === "PATCH") return written(asked, (body) => Object.assign(kept, { body }), 200);
  state.comments.splice(state.comments.indexOf(kept), 1);
  return { status: 204 };
};

function written(asked: Asked, write: (body: string) => Kept, status: number): Reply {
  const { body } = JSON.parse(asked.body) as { body: string };
  if ([...body].length > 65_536) {
    const message = "Body is too long (maximum is 65536 characters)";
    const errors = [{ resource: "IssueComment", code: "unprocessable", field: "data", message }];
    return { status: 422, body: { message: "Validation Failed", errors, status: "422" } };
  }
  return { status, body: shown(write(body)) };
}

function shown({ id, author, body }: Kept) {
  return { id, body, user: { login: author, type: "Bot" }, author_association: "NONE" };
}
