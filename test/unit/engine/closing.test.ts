import { describe, expect, test } from "vitest";
import { contentsOf, remainingText, unfinishedText } from "../../../engine/closing.ts";

const file = (name: string) => ({ operation: "create", type: "host:index:File", name, properties: [] });
const resource = (types: string, name: string, custom = true) => ({
  urn: `urn:pulumi:prod::regwarden::${types}::${name}`,
  custom,
});

describe("an update that did not come to its end", () => {
  test("says what was applied, what was begun, and that the rest was not", () => {
    const component = { ...file("registry"), type: "registry:host:RegistryHost" };
    const outcome = { changes: [component, file("a"), file("b")], done: [component, file("a")] };
    const text = unfinishedText({ run: "up of stack prod", outcome, signal: "SIGTERM", again: "npm run up" });
    expect(text).toContain(
      "up of stack prod was cancelled (SIGTERM). Applied: 1 (create File a). Begun and not finished: 1 (create File b). What is in neither list was not begun.",
    );
    expect(text).toContain("`npm run up` goes on from there.");
  });

  test("names failure as such, and nothing where nothing was applied", () => {
    const outcome = { changes: [], done: [] };
    const text = unfinishedText({ run: "up of stack prod", outcome, signal: undefined, again: "x" });
    expect(text).toContain("up of stack prod failed. Applied: nothing. Begun and not finished: nothing.");
  });
});

describe("the contents of a stack", () => {
  const state = {
    resources: [
      resource("pulumi:pulumi:Stack", "regwarden-prod", false),
      resource("pulumi:providers:host", "host"),
      resource("registry:host:RegistryHost", "registry", false),
      resource("registry:host:RegistryHost$host:index:File", "nginx"),
      resource("registry:cluster:RegistryCluster$kubernetes:core/v1:Secret", "account"),
    ],
    pending_operations: [
      {
        resource: resource("registry:host:RegistryHost$host:index:ComposeProject", "services"),
        type: "creating",
      },
      { resource: resource("registry:host:RegistryHost$host:index:File", "nginx"), type: "updating" },
    ],
  };

  test("are its things by part, and what a killed update was making", () => {
    expect(contentsOf(state)).toEqual({
      resources: { host: ["File nginx"], cluster: ["Secret account"] },
      pendingCreates: ["ComposeProject services"],
    });
  });

  test("are nothing where the state is empty", () => {
    expect(contentsOf({})).toEqual({ resources: { host: [], cluster: [] }, pendingCreates: [] });
    expect(remainingText("prod", contentsOf({}))).toBeUndefined();
  });

  test("are named after a destroy that left them", () => {
    expect(remainingText("prod", contentsOf(state))).toMatch(
      /^\nStack prod still holds:\n {2}host: 1 \(File nginx\)\n {2}cluster: 1 \(Secret account\)\n/,
    );
  });
});
