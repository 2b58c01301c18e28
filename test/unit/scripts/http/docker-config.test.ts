import { chmod, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { readDockerConfig } from "../../../../scripts/http/docker-config.ts";
import { temporaryDirectory } from "../../../support/program.ts";

const auth = Buffer.from("ci:s3:cret").toString("base64");

async function written(document: unknown): Promise<string> {
  const path = join(await temporaryDirectory(), "config.json");
  await writeFile(path, typeof document === "string" ? document : JSON.stringify(document));
  return path;
}

describe("the accounts that docker login left", () => {
  test("are found by host, however the key is written", async () => {
    const auths = {
      "r.example:5050": { auth },
      "https://other.example/v2/": { username: "me", password: "pw" },
      "https://index.docker.io/v1/": { auth: Buffer.from("hub:token\0\0").toString("base64") },
      "empty.example": {},
    };
    const { accountOf } = await readDockerConfig(await written({ auths }));
    expect(await accountOf("r.example:5050")).toEqual({ user: "ci", password: "s3:cret" });
    expect(await accountOf("other.example")).toEqual({ user: "me", password: "pw" });
    expect(await accountOf("docker.io")).toEqual({ user: "hub", password: "token" });
    for (const host of ["empty.example", "r.example", "__proto__"])
      expect(await accountOf(host)).toBeUndefined();
  });

  test("are none without the file", async () => {
    const { accountOf } = await readDockerConfig(join(await temporaryDirectory(), "config.json"));
    expect(await accountOf("r.example")).toBeUndefined();
  });

  test.each<[string, object, string]>([
    [
      "by a helper of its own that is not installed",
      { credHelpers: { "r.example": "none-such" } },
      "docker-credential-none-such, which is not on the PATH",
    ],
    [
      "by a helper for all that is not installed",
      { auths: { "r.example": {} }, credsStore: "none-such" },
      "docker-credential-none-such, which is not on the PATH",
    ],
    [
      "by a helper outside of the PATH",
      { credHelpers: { "r.example": "../../tmp/x" } },
      "which has a name that no program can have",
    ],
    ["as a token", { auths: { "r.example": { identitytoken: "s3cret" } } }, "is a token"],
    [
      "in a form that Docker does not write",
      { auths: { "r.example": { auth: "s3cret" } } },
      "is not USER:PASSWORD",
    ],
  ])("that are kept %s are refused, with what to do", async (_how, document, reason) => {
    const { accountOf } = await readDockerConfig(await written(document));
    const message = expect.stringMatching(new RegExp(`${reason}.*REG_USER and REG_PASS`));
    const refused = accountOf("r.example");
    await expect(refused).rejects.toMatchObject({ code: "E_CONFIGURATION", message });
    await expect(refused).rejects.not.toThrow(/s3cret/);
    expect(await accountOf("another.example")).toBeUndefined();
  });

  test.each(["not json s3cret", "[]", '{"auths": {"r": "s3cret"}}'])("of no use: %s", async (text) => {
    const failed = readDockerConfig(await written(text));
    await expect(failed).rejects.toMatchObject({ code: "E_CONFIGURATION", exitCode: 2 });
    await expect(failed).rejects.not.toThrow(/s3cret/);
  });
});

/** Puts a program on the PATH that notes what it is asked and does what a shell script says. */
async function helper(script: string) {
  const directory = await temporaryDirectory();
  const path = join(directory, "docker-credential-ours");
  const notes = join(directory, "notes");
  await writeFile(path, `#!/bin/sh\nhost=$(cat)\necho "$1 $host" >> ${notes}\n${script}\n`);
  await chmod(path, 0o755);
  vi.stubEnv("PATH", `${directory}${delimiter}${process.env.PATH}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  return { asked: async () => (await readFile(notes, "utf8").catch(() => "")).split("\n").filter(Boolean) };
}

const kept = `printf '{"ServerURL":"%s","Username":"ci","Secret":"s3cret"}' "$host"`;
const account = { user: "ci", password: "s3cret" };

describe("the accounts that a helper program keeps", () => {
  test("are asked for by the host", async () => {
    const { asked } = await helper(kept);
    const config = { auths: { "b.example": { auth } }, credHelpers: { "a.example:5050": "ours" } };
    const { accountOf } = await readDockerConfig(await written(config));
    expect(await accountOf("a.example:5050")).toEqual(account);
    expect(await accountOf("b.example")).toEqual({ user: "ci", password: "s3:cret" });
    expect(await accountOf("c.example")).toBeUndefined();
    expect(await asked()).toEqual(["get a.example:5050"]);
  });

  test("of all hosts, with or without an entry, are asked for unless the file has one", async () => {
    const { asked } = await helper(kept);
    const config = { auths: { "a.example": {}, "b.example": { auth } }, credsStore: "ours" };
    const { accountOf } = await readDockerConfig(await written(config));
    for (const host of ["a.example", "c.example", "docker.io"])
      expect(await accountOf(host)).toEqual(account);
    expect(await accountOf("b.example")).toEqual({ user: "ci", password: "s3:cret" });
    expect(await asked()).toEqual(["get a.example", "get c.example", "get https://index.docker.io/v1/"]);
  });

  test("are none where it says so", async () => {
    await helper("echo credentials not found in native keychain; exit 1");
    const { accountOf } = await readDockerConfig(await written({ credsStore: "ours" }));
    expect(await accountOf("a.example")).toBeUndefined();
  });

  test.each([
    ["fails", "echo s3cret; echo s3cret >&2; exit 4", "which ends with status 4"],
    ["prints something else", "echo s3cret", "which gives something else than an account"],
    ["gives a token", `echo '{"Username":"<token>","Secret":"s3cret"}'`, "which gives a token, and not user"],
    ["is ended", "kill -9 $$", "which is ended by SIGKILL"],
  ])("are refused when it %s, with host and helper and no secret", async (_what, script, reason) => {
    await helper(script);
    const { accountOf } = await readDockerConfig(await written({ credHelpers: { "a.example": "ours" } }));
    const refused = accountOf("a.example");
    await expect(refused).rejects.toMatchObject({ code: "E_CONFIGURATION", exitCode: 2 });
    await expect(refused).rejects.toThrow(
      new RegExp(`account for a\\.example .*docker-credential-ours, ${reason}.*REG_USER and REG_PASS`),
    );
    await expect(refused).rejects.not.toThrow(/s3cret/);
  });
});
