import {
  type Answerer,
  type Asked,
  goodToken,
  type Kept,
  ownAccount,
  pageOf,
  type Reply,
} from "./forge-server.ts";

const list = "/api/v4/projects/42/merge_requests/12/notes";

/** GitLab: "Notes API", "REST API: offset-based pagination". Its own notes are in the list. */
export const answerAsGitlab: Answerer = (asked, state): Reply => {
  const { pathname, searchParams } = new URL(asked.path, state.url);
  if (asked.token !== goodToken) return { status: 401, body: { message: "401 Unauthorized" } };
  if (pathname === "/api/v4/user") return { status: 200, body: { id: 7, username: ownAccount } };
  if (pathname === list && asked.method === "GET") {
    const size = Math.min(100, Number(searchParams.get("per_page") ?? "20"));
    const page = Number(searchParams.get("page") ?? "1");
    const pages = Math.ceil(state.comments.length / size);
    const headers = {
      "x-page": String(page),
      "x-per-page": String(size),
      "x-next-page": page < pages ? String(page + 1) : "",
    };
    return { status: 200, body: pageOf(state.comments, page, size).map(shown), headers };
  }
  if (pathname === list && asked.method === "POST")
    return written(asked, (body) => state.write(ownAccount, body), 201);
  const kept = state.comments.find(({ id }) => pathname === `${list}/${id}`);
  if (kept === undefined) return { status: 404, body: { message: "404 Not found" } };
  if (asked.method === "PUT") return written(asked, (body) => Object.assign(kept, { body }), 200);
  state.comments.splice(state.comments.indexOf(kept), 1);
  return { status: 204 };
};

function written(asked: Asked, write: (body: string) => Kept, status: number): Reply {
  const { body } = JSON.parse(asked.body) as { body: string };
  if (Buffer.byteLength(body) > 1_048_576)
    return { status: 400, body: { message: { note: ["is too long (maximum is 1 MB)"] } } };
  return { status, body: shown(write(body)) };
}

function shown({ id, author, body, isSystem = false }: Kept) {
  return { id, body, author: { id: 7, username: author, state: "active" }, system: isSystem };
}
