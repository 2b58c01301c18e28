import { describe, expect, test } from "vitest";
import { configMapData, secretData } from "../../../../../lab/cluster/pods/objects.ts";
import type { PodObjects } from "../../../../../lab/cluster/pods/template.ts";
import { volumeFiles } from "../../../../../lab/cluster/pods/volumes.ts";

const objects: PodObjects = new Map([
  ["configMap/settings", configMapData({ data: { url: "https://r" }, binaryData: { raw: "AAE=" } })],
  ["secret/account", secretData({ data: { user: Buffer.from("ci").toString("base64") } })],
]);

describe("files of a volume", () => {
  const names = (volume: Parameters<typeof volumeFiles>[0]) =>
    volumeFiles(volume, objects).map(({ path, mode }) => [path, mode]);

  test("are all keys with the volume's mode, or the chosen ones with their own", () => {
    expect(names({ name: "v", configMap: { name: "settings", defaultMode: 0o444 } })).toEqual([
      ["url", 0o444],
      ["raw", 0o444],
    ]);
    const items = [{ key: "user", path: "a/name", mode: 0o400 }];
    expect(names({ name: "v", secret: { secretName: "account", items } })).toEqual([["a/name", 0o400]]);
    expect(names({ name: "v", emptyDir: {} })).toEqual([]);
  });

  test("are an error where they are missing and not optional, or lead out of the volume", () => {
    expect(() => names({ name: "v", secret: { secretName: "gone" } })).toThrow(/no secret gone/);
    expect(names({ name: "v", secret: { secretName: "gone", optional: true } })).toEqual([]);
    const items = [{ key: "user", path: "../../etc/passwd" }];
    expect(() => names({ name: "v", secret: { secretName: "account", items } })).toThrow(/passwd/);
  });
});
