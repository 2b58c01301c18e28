import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readDeploymentConfig } from "../../../../scripts/deployment/config.ts";
import { regwarden, temporaryDirectory } from "../../../support/program.ts";

const valid = {
  private: {
    url: "https://registry.example:5050",
    user: "ci",
    sentinel: { repository: "regwarden/sentinel", tag: "1" },
  },
  caches: [{ name: "dockerhub", url: "http://127.0.0.1:5000/" }],
  scanReport: { path: "/report/scan.json", maximumAgeSeconds: 600 },
  jobs: "/jobs",
};

async function read(content: unknown) {
  const path = join(await temporaryDirectory(), "config.json");
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return readDeploymentConfig(path);
}

describe("the deployment's configuration", () => {
  test("is read, with addresses in one form, and the user interface may be left out", async () => {
    expect(await read(valid)).toMatchObject({ caches: [{ url: "http://127.0.0.1:5000" }] });
    const ui = { url: "https://registry.example:8080" };
    expect(await read({ ...valid, ui })).toMatchObject({ ui });
  });

  test("has all of its faults reported together, by their keys", async () => {
    const bad = {
      private: {
        ...valid.private,
        url: "registry.example",
        user: "c:i",
        sentinel: { repository: "UPPER", tag: "" },
      },
      caches: [{ name: "", url: "http://user:secret@127.0.0.1:5000/path" }],
      scanReport: { path: "/report/scan.json", maximumAgeSeconds: 0.5 },
      extra: true,
    };
    const error = await read(bad).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "E_CONFIGURATION", exitCode: 2 });
    const { message } = error as Error;
    for (const key of ["private.url", "private.user", "private.sentinel.repository", "private.sentinel.tag"])
      expect(message).toContain(`\n  ${key}: `);
    for (const key of [
      "caches.0.name",
      "caches.0.url",
      "scanReport.maximumAgeSeconds",
      "extra: is not known",
    ])
      expect(message).toContain(`\n  ${key}`);
    expect(message).not.toContain("secret");
  });

  test("names a key that is missing", async () => {
    await expect(read({ ...valid, scanReport: { path: "/r" } })).rejects.toThrow(
      "scanReport.maximumAgeSeconds: is missing",
    );
  });

  test.each([["{"], ["[]"], ["null"]])("is not %s", async (text) => {
    await expect(read(text)).rejects.toMatchObject({ code: "E_CONFIGURATION" });
  });

  test("must exist", async () => {
    const { exitCode, stderr } = await regwarden(["check-deployment", "/nowhere.json"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("/nowhere.json");
  });

  test("comes with a password on standard input, or nothing is asked", async () => {
    const path = join(await temporaryDirectory(), "config.json");
    await writeFile(path, JSON.stringify(valid));
    const { exitCode, stderr } = await regwarden(["check-deployment", path], { input: "" });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("No password for ci on standard input");
  });
});
