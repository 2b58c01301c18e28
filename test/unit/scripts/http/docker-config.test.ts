import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
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
    expect(accountOf("r.example:5050")).toEqual({ user: "ci", password: "s3:cret" });
    expect(accountOf("other.example")).toEqual({ user: "me", password: "pw" });
    expect(accountOf("docker.io")).toEqual({ user: "hub", password: "token" });
    for (const host of ["empty.example", "r.example", "__proto__"]) expect(accountOf(host)).toBeUndefined();
  });

  test("are none without the file", async () => {
    const { accountOf } = await readDockerConfig(join(await temporaryDirectory(), "config.json"));
    expect(accountOf("r.example")).toBeUndefined();
  });

  test.each<[string, object, string]>([
    ["by a helper of its own", { credHelpers: { "r.example": "pass" } }, "docker-credential-pass"],
    [
      "by the helper of all",
      { auths: { "r.example": {} }, credsStore: "desktop" },
      "docker-credential-desktop",
    ],
    ["as a token", { auths: { "r.example": { identitytoken: "s3cret" } } }, "is a token"],
    ["as nonsense", { auths: { "r.example": { auth: "s3cret" } } }, "is not USER:PASSWORD"],
  ])("that are kept %s are refused, with what to do", async (_how, document, reason) => {
    const { accountOf } = await readDockerConfig(await written(document));
    const message = expect.stringMatching(new RegExp(`${reason}.*REG_USER and REG_PASS`));
    expect(() => accountOf("r.example")).toThrow(
      expect.objectContaining({ code: "E_CONFIGURATION", message }),
    );
    expect(() => accountOf("r.example")).not.toThrow(/s3cret/);
    expect(accountOf("another.example")).toBeUndefined();
  });

  test.each(["not json s3cret", "[]", '{"auths": {"r": "s3cret"}}'])("of no use: %s", async (text) => {
    const failed = readDockerConfig(await written(text));
    await expect(failed).rejects.toMatchObject({ code: "E_CONFIGURATION", exitCode: 2 });
    await expect(failed).rejects.not.toThrow(/s3cret/);
  });
});
