import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

/** Modules that a file imports: own ones as paths from the root, others by their name. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  const statements = text.matchAll(
    /^\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)|^import\s+"([^"]+)"/gm,
  );
  return [...statements].map(([, from, dynamic, bare]) => {
    const target = from ?? dynamic ?? bare ?? "";
    return target.startsWith(".") ? relative(ROOT, join(ROOT, dirname(file), target)) : target;
  });
}

/** Imports that the rule forbids, as `file -> module`. */
function offences(pattern: string, isAllowed: (module: string) => boolean): string[] {
  const files = globSync(pattern, { cwd: ROOT });
  return files.flatMap((file) =>
    importsOf(file)
      .filter((module) => !isAllowed(module))
      .map((module) => `${file} -> ${module}`),
  );
}

const isOwn = (module: string) =>
  /^(components|config|contract|engine|lab|provider|scripts|test|[a-z-]+\.ts$)/.test(module) &&
  !module.startsWith("node:");
const isPulumi = (module: string) => module.startsWith("@pulumi/");
const within =
  (...folders: string[]) =>
  (module: string) =>
    !isOwn(module) || folders.some((folder) => module === folder || module.startsWith(`${folder}/`));

/** The lab's rooms, each on top of those before it. Its commands and the incident know all of them. */
const labRooms = ["machine", "host", "images", "cluster", "stack"];
const labRules = [...labRooms, "commands", "incident"].map((room): [string, string, typeof isOwn] => {
  const at = labRooms.indexOf(room);
  const beneath = at === -1 ? labRooms : labRooms.slice(0, at);
  const known = [...beneath, room].map((folder) => `lab/${folder}`);
  return [
    `the lab's ${room} knows what lies beneath it`,
    `lab/${room}/**/*.ts`,
    within("contract", "provider", ...known),
  ];
});

describe("imports", () => {
  test("are found, also over several lines", () => {
    expect(importsOf("components/host/registry-host.ts")).toContain("components/host/settings.ts");
    expect(importsOf("config/read-secrets.ts")).toContain("config/secret-rules.ts");
    expect(importsOf("config/read-secrets.ts")).toContain("@pulumi/vault");
  });

  test.each<[string, string, (module: string) => boolean]>([
    ["scripts know the contract only", "scripts/**/*.ts", within("scripts", "contract")],
    ["scripts never import Pulumi", "scripts/**/*.ts", (module) => !isPulumi(module)],
    ["the contract knows nothing", "contract/**/*.ts", within("contract")],
    [
      "components know the contract and the provider's public types",
      "components/**/*.ts",
      within("components", "contract", "provider/resources.ts"),
    ],
    [
      "what components render is plain",
      "components/*/render/**/*.ts",
      (module) => !isPulumi(module) && !module.startsWith("provider/"),
    ],
    ["the provider knows the contract only", "provider/**/*.ts", within("provider", "contract")],
    [
      "the configuration's rules are plain",
      "config/!(read-*).ts",
      (module) => !isPulumi(module) && within("config", "contract")(module),
    ],
    [
      "the readers of configuration and secrets know what the host asks for",
      "config/read-*.ts",
      within("config", "contract", "components/host/registry-secrets.ts"),
    ],
    ...labRules,
  ])("go one way: %s", (_, pattern, isAllowed) => {
    expect(offences(pattern, isAllowed)).toEqual([]);
  });

  test("of the configuration stand in read-config.ts alone, those of Vault in read-secrets.ts alone", () => {
    const sources = globSync("{*.ts,components/**/*.ts,config/**/*.ts}", { cwd: ROOT });
    const containing = (text: RegExp) =>
      sources.filter((file) => text.test(readFileSync(join(ROOT, file), "utf8")));
    expect(containing(/pulumi\.Config\b/)).toEqual(["config/read-config.ts"]);
    expect(containing(/@pulumi\/vault/)).toEqual(["config/read-secrets.ts"]);
    expect(containing(/process\.env/).filter((file) => file !== "vitest.config.ts")).toEqual([]);
  });
});
