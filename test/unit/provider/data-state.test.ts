import { describe, expect, test } from "vitest";
import { assertServable, dataState } from "../../../provider/kinds/data-state.ts";
import type { DataFacts } from "../../../provider/remote/data-directory.ts";

const path = "/opt/registry/data/private";
const data = { path, name: "private", mount: "/opt/registry/data", container: "registry-private" };
const nothing: DataFacts = {
  isMounted: true,
  entry: "gone",
  isEmpty: true,
  marker: undefined,
  record: undefined,
  isStillThere: false,
  served: undefined,
};
const full: DataFacts = { ...nothing, entry: "directory", isEmpty: false };
const empty: DataFacts = { ...nothing, entry: "directory" };
const record = { path, id: "a" };

describe("a data directory", () => {
  test.each<[string, DataFacts, string | undefined]>([
    ["is adopted with what is in it", full, undefined],
    ["is adopted when it is empty", empty, undefined],
    ["keeps the id that its marker has, on a machine that was set up anew", { ...full, marker: "a" }, "a"],
  ])("of which nothing was known %s", (_, facts, id) => {
    expect(dataState(data, facts, undefined)).toEqual({ kind: "in place", id });
  });

  test("of which nothing was known is made", () => {
    expect(dataState(data, nothing, undefined)).toEqual({ kind: "new" });
  });

  test.each<[string, DataFacts]>([
    ["by the record", { ...full, marker: "a", record }],
    ["by the record after a move", { ...full, marker: "a", record: { path: "/old/data/private", id: "a" } }],
    ["by a container that serves it", { ...full, served: path }],
    ["by the operator's word, also when it is empty", { ...empty, marker: "", record }],
    [
      "by the operator's word in another directory",
      { ...empty, marker: "", record: { path: "/old", id: "a" } },
    ],
  ])("is in place %s", (_, facts) => {
    expect(dataState(data, facts, undefined).kind).toBe("in place");
  });

  test("is in place with the id that the state has, where the host has no record", () => {
    expect(dataState(data, { ...full, marker: "a" }, { id: "a" })).toEqual({ kind: "in place", id: "a" });
  });

  test("from before there were ids is in place when it holds something", () => {
    expect(dataState(data, full, { id: undefined })).toEqual({ kind: "in place", id: undefined });
  });

  test.each<[string, DataFacts, { id: string | undefined } | undefined, string]>([
    ["whose disk is not mounted", { ...empty, isMounted: false }, undefined, "not mounted"],
    ["that the state knows and is gone", nothing, { id: undefined }, "gone"],
    ["that the record knows and is gone", { ...nothing, record }, undefined, "gone"],
    ["that a container serves and is gone", { ...nothing, served: path }, undefined, "gone"],
    ["that the state knows and is empty", empty, { id: undefined }, "empty"],
    ["without the marker that it had", { ...full, record }, undefined, "another directory"],
    ["with another marker", { ...full, marker: "b", record }, undefined, "another data directory"],
    [
      "with another marker than the state knows",
      { ...full, marker: "b" },
      { id: "a" },
      "another data directory",
    ],
    ["that was recorded elsewhere", { ...nothing, record: { path: "/old", id: "a" } }, undefined, "in /old"],
    ["that a container has elsewhere", { ...empty, served: "/old" }, undefined, "in /old"],
    [
      "of which a copy has the same id",
      { ...full, marker: "a", record: { path: "/old", id: "a" }, isStillThere: true },
      undefined,
      "in two directories",
    ],
    ["that is a symbolic link", { ...nothing, entry: "link" }, undefined, "a symbolic link"],
    ["that is a file", { ...nothing, entry: "other" }, undefined, "no directory"],
  ])("%s is refused", (_, facts, known, found) => {
    const state = dataState(data, facts, known);
    expect(state).toMatchObject({ kind: "wrong", found });
    expect(() => assertServable("root@vm:22", data, state)).toThrow(
      /root@vm:22: the data of private is not where it was: .*Nothing was created.*run again.*mkdir -p/s,
    );
  });
});
