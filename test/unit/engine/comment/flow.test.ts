import { describe, expect, test } from "vitest";
import type { PreviewResult } from "../../../../engine/comment/body.ts";
import { commentOnPreview } from "../../../../engine/comment/comment-on.ts";
import { pullRequestOf } from "../../../../engine/comment/pull-request.ts";
import { changesOf, secretValue } from "../../../support/engine-steps.ts";
import { type ForgeServer, ownAccount, startForge } from "../../../support/forges/forge-server.ts";
import { type ForgeKind, forgeKinds } from "../../../support/forges/forges.ts";

const compose = (version: string) =>
  [
    "services:",
    "  private:",
    `    image: registry:${version}`,
    "    restart: unless-stopped",
    "    ports:",
    '      - "5050:5000"',
    "  nginx:",
    "    image: nginx:1.28.0-alpine",
    "    restart: unless-stopped",
    "",
  ].join("\n");

const composeFile = {
  op: "update",
  type: "host:index:File",
  name: "registry-compose",
  before: { path: "/opt/registry/docker-compose.yml", content: compose("2.8.2") },
  after: { path: "/opt/registry/docker-compose.yml", content: compose("2.8.3") },
  paths: ["content"],
};
const htpasswd = {
  op: "update",
  type: "host:index:Htpasswd",
  name: "registry-htpasswd",
  before: { path: "/opt/registry/htpasswd", users: secretValue },
  after: { path: "/opt/registry/htpasswd", users: secretValue },
  paths: ["users"],
};
const schedule = {
  op: "update",
  type: "kubernetes:batch/v1:CronJob",
  name: "cluster-probe-cron-job",
  before: { spec: { schedule: "*/15 * * * *", suspend: false } },
  after: { spec: { schedule: "*/10 * * * *", suspend: false } },
  outputs: { spec: { schedule: "*/15 * * * *", suspend: true } },
  paths: ["spec.schedule"],
  drifted: ["spec.suspend"],
};
const cache = {
  op: "create",
  type: "host:index:File",
  name: "registry-cache-quay",
  after: {
    path: "/opt/registry/quay.yml",
    mode: "0644",
    content: "version: 0.1\nproxy:\n  remoteurl: https://quay.io\n",
  },
};
const oldCache = {
  op: "delete",
  type: "host:index:File",
  name: "registry-cache-gcr",
  before: { path: "/opt/registry/gcr.yml", mode: "0644" },
};

/** What each push of one pull request comes to, in order. */
const pushes: readonly (readonly [file: string, commit: string, result: PreviewResult])[] = [
  [
    "1-first-push",
    "1111111111aaaaaaaaaabbbbbbbbbbcccccccccc",
    { kind: "changes", changes: changesOf([composeFile, htpasswd, schedule, cache, oldCache]) },
  ],
  [
    "2-a-push-that-fails",
    "2222222222aaaaaaaaaabbbbbbbbbbcccccccccc",
    {
      kind: "failed",
      errors: [
        'The configuration has 1 fault:\n  regwarden:private.port\n    is:      "many"\n    must be: a TCP port: a whole number from 1 to 65535\n    example: 5050\n',
      ],
    },
  ],
  [
    "3-a-push-with-one-change",
    "3333333333aaaaaaaaaabbbbbbbbbbcccccccccc",
    { kind: "changes", changes: changesOf([composeFile]) },
  ],
  ["4-a-push-that-takes-it-back", "4444444444aaaaaaaaaabbbbbbbbbbcccccccccc", { kind: "clean" }],
  [
    "5-the-last-push-before-the-merge",
    "5555555555aaaaaaaaaabbbbbbbbbbcccccccccc",
    { kind: "changes", changes: changesOf([schedule]) },
  ],
];

async function push(kind: ForgeKind, forge: ForgeServer, commit: string, result: PreviewResult) {
  const environment = kind.variables(forge.url, commit);
  const said: string[] = [];
  const outcome = await commentOnPreview(
    {
      pullRequest: pullRequestOf(environment, (text) => text),
      stack: "prod",
      environment,
      write: (text) => said.push(text),
      writeError: (text) => said.push(text),
    },
    async () => result,
  );
  return { ...outcome, said: said.join("") };
}

describe.each(forgeKinds)("a pull request on $name", (kind) => {
  test("has one comment from the first push to the merge, which says what the last push comes to", async () => {
    const forge = await startForge(kind.answer);
    forge.write("a-person", "Please have a look.");
    for (const [file, commit, result] of pushes) {
      expect((await push(kind, forge, commit, result)).isCommented).toBe(true);
      forge.write("a-person", `Seen ${file}.`);
      const own = forge.comments.filter(({ author }) => author === ownAccount);
      expect(own).toHaveLength(1);
      await expect(`${own[0]?.body}`).toMatchFileSnapshot(`expected/${kind.name}/${file}.md`);
    }
  });

  test("that changes nothing gets no comment", async () => {
    const forge = await startForge(kind.answer);
    const { isCommented, said } = await push(kind, forge, "1".repeat(40), { kind: "clean" });
    expect([isCommented, said, forge.comments]).toEqual([
      true,
      "\nComment on the pull request: not needed.\n",
      [],
    ]);
  });

  test("whose first preview fails gets a comment that says so", async () => {
    const forge = await startForge(kind.answer);
    const failed: PreviewResult = { kind: "failed", errors: ["the VM does not answer"] };
    await push(kind, forge, "1".repeat(40), failed);
    expect(forge.comments[0]?.body).toContain("the preview failed");
    expect(forge.comments[0]?.body).toContain("the VM does not answer");
  });

  test("says so too when the preview ended with an exception, which goes on", async () => {
    const forge = await startForge(kind.answer);
    const environment = kind.variables(forge.url, "1".repeat(40));
    const pullRequest = pullRequestOf(environment, (text) => text);
    const ignore = () => {};
    const run = { pullRequest, stack: "prod", environment, write: ignore, writeError: ignore };
    const preview = commentOnPreview(run, () => Promise.reject(new Error("no stack named 'prod' found")));
    await expect(preview).rejects.toThrow("no stack named 'prod' found");
    expect(forge.comments[0]?.body).toContain("no stack named 'prod' found");
  });

  test("keeps what another account wrote, whatever it begins with, and finds its own on a later page", async () => {
    const forge = await startForge(kind.answer);
    await push(kind, forge, "1".repeat(40), pushes[0]?.[2] ?? { kind: "clean" });
    const [own] = forge.comments.splice(0);
    for (let index = 0; index < 130; index += 1) forge.write("a-person", own?.body ?? "");
    forge.write("", "assigned to @a-person", true);
    forge.write(ownAccount, "another job's comment");
    const mine = forge.write(ownAccount, own?.body ?? "");
    const before = forge.comments.map(({ body }) => body).slice(0, -1);
    await push(kind, forge, "2".repeat(40), { kind: "clean" });
    expect(mine.body).toContain("no changes at `2222222222`");
    expect(forge.comments.map(({ body }) => body).slice(0, -1)).toEqual(before);
  });

  test("has a comment for each stack", async () => {
    const forge = await startForge(kind.answer);
    await push(kind, forge, "1".repeat(40), { kind: "failed", errors: [] });
    const [first] = forge.comments;
    if (first) first.body = first.body.replace("stack prod ", "stack prod%2Deast ");
    await push(kind, forge, "1".repeat(40), { kind: "failed", errors: [] });
    expect(forge.comments).toHaveLength(2);
  });

  test("keeps the first of two comments that two runs at once have made", async () => {
    const forge = await startForge(kind.answer);
    await push(kind, forge, "1".repeat(40), { kind: "failed", errors: [] });
    forge.write(ownAccount, forge.comments[0]?.body ?? "");
    forge.write("a-person", "between");
    await push(kind, forge, "2".repeat(40), { kind: "clean" });
    expect(forge.comments.map(({ author }) => author)).toEqual([ownAccount, "a-person"]);
    expect(forge.comments[0]?.body).toContain("no changes at");
  });

  test("is not written to again when the comment says the same already", async () => {
    const forge = await startForge(kind.answer);
    await push(kind, forge, "1".repeat(40), { kind: "failed", errors: ["x"] });
    const [own] = forge.comments;
    // As a forge keeps what a browser sent.
    if (own) own.body = `${own.body.replaceAll("\n", "\r\n")}\r\n`;
    const { said } = await push(kind, forge, "1".repeat(40), { kind: "failed", errors: ["x"] });
    expect(said).toContain("unchanged");
  });

  test.each([
    ["too many requests", { status: 429, headers: { "retry-after": "0" } }],
    ["a server that is overloaded", { status: 502, headers: { "retry-after": "0" } }],
    ["a limit that GitHub names by 403", { status: 403, headers: { "retry-after": "0" } }],
    ["a connection that breaks off", "silence" as const],
  ])("is commented on all the same after %s, at each request, and only once", async (_, fault) => {
    for (const at of [0, 1, 2]) {
      const forge = await startForge(kind.answer);
      forge.faults.push(...Array<undefined>(at), fault);
      const { isCommented } = await push(kind, forge, "1".repeat(40), { kind: "failed", errors: [] });
      expect([isCommented, forge.comments.length]).toEqual([true, 1]);
    }
  });

  test("gets no second comment when the forge keeps the first and breaks off its answer", async () => {
    const forge = await startForge((asked, state) => {
      const reply = kind.answer(asked, state);
      const isCreated = asked.method === "POST" && !asked.path.endsWith("/graphql");
      return isCreated ? { status: 502, headers: { "retry-after": "0" } } : reply;
    });
    const { isCommented } = await push(kind, forge, "1".repeat(40), { kind: "failed", errors: [] });
    expect([isCommented, forge.comments.length]).toEqual([true, 1]);
  });

  test.each<[string, Record<string, string>, { status: number; body?: unknown } | undefined, RegExp]>([
    [
      "a wrong token",
      { FORGE_TOKEN: "wrong-token-of-the-bot" },
      undefined,
      /401 .* The token is wrong or has expired\.\n$/,
    ],
    [
      "a token without the right",
      {},
      { status: 403, body: { message: "not accessible" } },
      /403 .*: not accessible\. The token needs /,
    ],
    [
      "a repository that the token cannot see",
      {},
      { status: 404, body: { message: "Not Found" } },
      /404 .* The token needs /,
    ],
    [
      "a text that it does not take",
      {},
      { status: 422, body: { message: "Validation Failed" } },
      /422 .*: Validation Failed\.\n$/,
    ],
    ["a redirect", {}, { status: 307 }, /answered 307/],
    [
      "a page that is no answer of its API",
      {},
      { status: 200, body: "<html>" },
      /does not say whose the token is/,
    ],
    [
      "a limit of an hour",
      {},
      { status: 429, headers: { "retry-after": "3600" } } as { status: number },
      /answered 429/,
    ],
  ])("reports %s, without the token, and is no success", async (_, variables, fault, message) => {
    const forge = await startForge(kind.answer);
    forge.faults.push(fault);
    const changed = {
      ...kind,
      variables: (url: string, commit: string) => ({ ...kind.variables(url, commit), ...variables }),
    };
    const { isCommented, said } = await push(changed, forge, "1".repeat(40), { kind: "failed", errors: [] });
    expect(isCommented).toBe(false);
    expect(said).toMatch(message);
    expect(said).not.toContain("token-of-the-bot");
    expect(forge.asked).toHaveLength(1);
  });

  test("takes a comment as long as it may be", async () => {
    const forge = await startForge(kind.answer);
    const text = (letter: string) =>
      Array.from({ length: 100 }, (_, line) => `${letter} ${line} ${"é".repeat(100)}`).join("\n");
    const many = Array.from({ length: 60 }, (_, index) => ({
      ...composeFile,
      name: `file-${index}`,
      before: { content: text("a") },
      after: { content: text("b") },
    }));
    const { isCommented } = await push(kind, forge, "1".repeat(40), {
      kind: "changes",
      changes: changesOf(many),
    });
    expect(isCommented).toBe(true);
    expect(forge.comments[0]?.body).toMatch(/\d+ diffs are left out/);
    expect(forge.comments[0]?.body).toContain("`file-59`");
  });
});
