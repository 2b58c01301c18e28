import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { readKubeconfigFile } from "../../../config/read-kubeconfig.ts";
import { KUBECONFIG } from "../../support/program-stack/cluster.ts";

const directory = mkdtempSync(join(tmpdir(), "regwarden-kubeconfig-"));
const file = (name: string, content: string) => {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
};

describe("the kubeconfig of a person's machine", () => {
  test("is read by its content, from the file that KUBECONFIG names, else from ~/.kube/config", () => {
    expect(readKubeconfigFile("home", { KUBECONFIG: file("a", KUBECONFIG) })).toBe(KUBECONFIG);
    mkdirSync(join(directory, ".kube"));
    file(".kube/config", KUBECONFIG);
    vi.stubEnv("HOME", directory);
    expect(readKubeconfigFile("home", { KUBECONFIG: "" })).toBe(KUBECONFIG);
    vi.unstubAllEnvs();
  });

  test.each([
    ["is not there", join(directory, "missing"), "cannot be read (ENOENT)"],
    ["is one of several", "/a:/b", "names several files"],
    ["is none", file("none", "s3cret: ["), "must be a kubeconfig"],
    ["has not the context", file("other", KUBECONFIG.replaceAll('"home"', '"office"')), "it has office"],
  ])("that %s is an error that names the other ways, and shows nothing of it", (_, path, what) => {
    const read = () => readKubeconfigFile("home", { KUBECONFIG: path });
    expect(read).toThrow(what);
    expect(read).toThrow("regwarden:vault.kubeconfig");
    expect(read).not.toThrow("s3cret");
  });
});
