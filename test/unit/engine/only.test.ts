import { describe, expect, test } from "vitest";
import { partOf, targetsOf } from "../../../engine/only.ts";

const urn = (types: string) => `urn:pulumi:prod::regwarden::${types}::name`;

describe("the parts of a stack", () => {
  test.each([
    ["registry:host:RegistryHost", "host"],
    ["registry:host:HostDns$host:index:File", "host"],
    ["pulumi:providers:host", "host"],
    ["registry:cluster:RegistryCluster$kubernetes:core/v1:Secret", "cluster"],
    ["pulumi:providers:kubernetes", "cluster"],
    ["pulumi:pulumi:Stack", undefined],
    ["pulumi:providers:vault", undefined],
  ])("%s belongs to %s", (types, part) => {
    expect(partOf(urn(types))).toBe(part);
  });

  test("are named to the engine by the components' types and the provider", () => {
    expect(targetsOf("cluster")).toEqual([
      "urn:pulumi:*::*::registry:cluster:**",
      "urn:pulumi:*::*::pulumi:providers:kubernetes::**",
    ]);
  });
});
