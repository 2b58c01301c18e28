import { Agent } from "node:https";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import type { Attempt } from "../../../../../scripts/http/retry.ts";
import { listAll } from "../../../../../scripts/in-use/cluster/list.ts";

const access = { server: "https://api.example", agent: new Agent(), token: "t0ken" };
const question = { path: "/api/v1/pods", schema: v.object({ name: v.string() }) };
const answer = (status: number, document: unknown): Attempt => ({
  state: "answered",
  answer: { status, headers: { get: () => null }, body: new TextEncoder().encode(JSON.stringify(document)) },
});
const page = (names: readonly string[], next = "") =>
  answer(200, { metadata: { continue: next }, items: names.map((name) => ({ name })) });

/** Lists with these answers, one after the other, and what was asked. */
async function list(...answers: readonly Attempt[]) {
  const asked: string[] = [];
  const waiting = [...answers];
  const listing = await listAll(
    async (url, request) => {
      asked.push(`${new URL(url).search} ${request?.headers?.authorization}`);
      return waiting.shift() ?? answer(500, {});
    },
    access,
    question,
  );
  return { listing, asked };
}

describe("a list of the API server", () => {
  test("is read to its last page", async () => {
    const { listing, asked } = await list(page(["a", "b"], "more/+="), page(["c"]));
    expect(listing).toEqual({ state: "listed", items: [{ name: "a" }, { name: "b" }, { name: "c" }] });
    expect(asked).toEqual(["?limit=200 Bearer t0ken", "?limit=200&continue=more%2F%2B%3D Bearer t0ken"]);
  });

  test("may be empty, or null", async () => {
    expect((await list(answer(200, { items: null }))).listing).toEqual({ state: "listed", items: [] });
  });

  test("that grew old on the way is read anew, once", async () => {
    const again = await list(page(["a"], "x"), answer(410, {}), page(["b"], "y"), page(["c"]));
    expect(again.listing).toEqual({ state: "listed", items: [{ name: "b" }, { name: "c" }] });
    const never = await list(page(["a"], "x"), answer(410, {}), page(["b"], "y"), answer(410, {}));
    expect(never.listing).toMatchObject({ state: "unreadable", reason: "answers 410 again and again" });
  });

  test.each<[string, Attempt, string]>([
    ["refused", answer(403, {}), "answers 403 (forbidden)"],
    ["unknown", answer(404, {}), "answers 404"],
    ["no list", answer(200, { items: [{}] }), "answers something else than a list of it"],
    ["silent", { state: "silent", reason: "ECONNREFUSED" }, "ECONNREFUSED"],
    ["not trusted", { state: "untrusted", reason: "TLS: x" }, "TLS: x"],
  ])("that is %s is no empty one, also on its second page", async (_what, bad, reason) => {
    const isRefused = reason.includes("403");
    const unreadable = { state: "unreadable", path: "/api/v1/pods", reason, isRefused };
    expect((await list(bad)).listing).toEqual(unreadable);
    expect((await list(page(["a"], "x"), bad)).listing).toEqual(unreadable);
  });
});
