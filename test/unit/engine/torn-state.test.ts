import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fileBackendDirectory, isTornState, removeTornNotes } from "../../../engine/torn-state.ts";

describe("a state that a killed update left torn", () => {
  test.each([
    ["error: failed to load checkpoint: EOF", true],
    ["error: failed to load checkpoint: unexpected EOF", true],
    ["error: failed to load checkpoint: permission denied", false],
    ["error: no stack named 'x' found", false],
  ])("is known from other failures: %s", (message, isTorn) => {
    expect(isTornState(message)).toBe(isTorn);
  });

  test.each([
    ["file:///var/state", "/var/state"],
    ["file:///var/state?metadata=skip&no_tmp_dir=true", "/var/state"],
    ["file://~", homedir()],
    ["file://~/state", join(homedir(), "state")],
    ["file://./state", "/project/state"],
    ["s3://bucket", undefined],
    ["https://app.pulumi.com/me", undefined],
  ])("lies in the directory of %s", (url, directory) => {
    expect(fileBackendDirectory(url, "/project")).toBe(directory);
  });

  test("loses only those notes that are no JSON, and never a state", () => {
    const backend = mkdtempSync(join(tmpdir(), "regwarden-torn-"));
    const stacks = join(backend, ".pulumi/stacks/regwarden");
    mkdirSync(stacks, { recursive: true });
    const put = (name: string, text: string) => writeFileSync(join(stacks, name), text);
    put("prod.json", "");
    put("prod.json.attrs", "");
    put("prod.json.bak.attrs", '{"md5":"x"}');
    put("lab.json.attrs", '{"user.content_type":"text/pl');
    put("sound.json.attrs", '{"md5":"x"}');

    expect([...removeTornNotes(backend)].sort()).toEqual([
      join(stacks, "lab.json.attrs"),
      join(stacks, "prod.json.attrs"),
    ]);

    expect(existsSync(join(stacks, "prod.json"))).toBe(true);
    expect(existsSync(join(stacks, "sound.json.attrs"))).toBe(true);
    expect(removeTornNotes(join(backend, "elsewhere"))).toEqual([]);
  });
});
