import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { allKeys, described, example, keysAt, ruleAt, withDefault } from "../../../config/setting.ts";
import { settingsSchema } from "../../../config/settings.ts";

const port = described("a port", v.number());
const name = described("a name", v.string());
const schema = v.strictObject({
  server: v.strictObject({ name: example(name, "a"), port: withDefault(port, 22) }),
  extras: v.optional(v.strictObject({ on: withDefault(described("true or false", v.boolean()), true) }), {}),
  list: v.optional(v.array(v.strictObject({ name: example(name, "b"), port: example(port, "80") })), []),
});

describe("a key's rule", () => {
  test("is the one that stands beside its schema, with an example or the default", () => {
    expect(ruleAt(schema, ["server", "name"])).toEqual({ rule: "a name", example: "a" });
    expect(ruleAt(schema, ["server", "port"])).toEqual({ rule: "a port", example: "22" });
    expect(ruleAt(schema, ["list", 3, "port"])).toEqual({ rule: "a port", example: "80" });
  });

  test("of an object or a list follows from its keys: those that are needed, else the first", () => {
    expect(ruleAt(schema, ["server"])).toEqual({ rule: "an object", example: '{"name": "a"}' });
    expect(ruleAt(schema, ["extras"])).toEqual({ rule: "an object", example: '{"on": true}' });
    expect(ruleAt(schema, ["list"])).toEqual({
      rule: "a list of objects",
      example: '[{"name": "b", "port": 80}]',
    });
  });

  test("is none where there is no such key", () => {
    expect(ruleAt(schema, ["server", "nam"])).toBeUndefined();
    expect(ruleAt(schema, ["server", "name", "more"])).toBeUndefined();
  });

  test.each(allKeys(settingsSchema))("is there for each setting: %s", (key) => {
    const path = key.split(".").flatMap((part) => (part.endsWith("[]") ? [part.slice(0, -2), 0] : [part]));
    const { rule, example } = ruleAt(settingsSchema, path) ?? {};
    expect(rule).toMatch(/\w/);
    // What no words were given to would pass for an empty object.
    expect(example).not.toMatch(/^(\{\}|\[\]|)$/);
  });
});

test("the keys of an object and all keys of a schema can be listed", () => {
  expect(keysAt(schema, [])).toEqual(["server", "extras", "list"]);
  expect(keysAt(schema, ["list", 0])).toEqual(["name", "port"]);
  expect(allKeys(schema)).toEqual([
    ...["server", "server.name", "server.port", "extras", "extras.on"],
    ...["list", "list[]", "list[].name", "list[].port"],
  ]);
});
