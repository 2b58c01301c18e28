import { describe, expect, test } from "vitest";
import {
  byResource,
  changeOf,
  changeTable,
  isConnectionChange,
  reportedChanges,
} from "../../../engine/changes.ts";

describe("changes", () => {
  const event = (op: string, type: string) => ({
    sequence: 1,
    timestamp: 1,
    resourcePreEvent: {
      metadata: {
        op,
        urn: `urn:pulumi:s::p::a:b:C$${type}::name`,
        type,
        detailedDiff: { content: {}, mode: {} },
      },
    },
  });
  const of = (op: string, type = "host:index:File") => changeOf(event(op, type) as never);

  test("are steps that change something, with what differs", () => {
    expect(of("update")).toEqual({
      operation: "update",
      type: "host:index:File",
      name: "name",
      properties: ["content", "mode"],
    });
    expect(of("same")).toBeUndefined();
    expect(of("refresh")).toBeUndefined();
  });

  test("are one a resource, also where a replacement takes three steps", () => {
    const steps = ["create-replacement", "replace", "delete-replaced"].map((operation) => of(operation));
    const other = { operation: "create", type: "host:index:File", name: "other", properties: [] };
    expect(byResource([...steps.filter((step) => step !== undefined), other])).toEqual([
      { operation: "replace", type: "host:index:File", name: "name", properties: ["content", "mode"] },
      other,
    ]);
  });

  test("read as a table", () => {
    const change = of("update");
    expect(changeTable(change ? [change] : [])).toBe("  update  File  name  content, mode");
  });

  test("of the connection alone are known from changes on the host", () => {
    const provider = of("update", "pulumi:providers:host");
    expect(provider && isConnectionChange(provider)).toBe(true);
    const replaced = of("replace", "pulumi:providers:host");
    expect(replaced && isConnectionChange(replaced)).toBe(false);
    const step = of("update", "host:index:Step");
    expect(step && isConnectionChange(step)).toBe(false);
  });

  test("of a pending key rotation are none, unless something else changes", () => {
    const rotation = {
      ...{ operation: "update", type: "pulumi:providers:host", name: "host" },
      properties: ["connection"],
    };
    expect(reportedChanges({ changes: [rotation] })).toEqual([]);
    const file = { operation: "update", type: "host:index:File", name: "nginx", properties: ["content"] };
    expect(reportedChanges({ changes: [rotation, file] })).toEqual([file]);
  });
});
