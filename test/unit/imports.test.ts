import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { importsOf, reachedFrom, root, within } from "../support/imports.ts";

/** Imports that a rule forbids, as `file -> module`. */
function offences(pattern: string, isAllowed: (module: string, file: string) => boolean): string[] {
  return importsOf(pattern)
    .filter(({ module, file }) => !isAllowed(module, file))
    .map(({ module, file }) => `${file} -> ${module}`)
    .sort();
}

/** What a rule says, the files that it is about, and what these may import. */
type Rule = [string, string, (module: string) => boolean];

const isPulumi = (module: string) => module.startsWith("@pulumi/");

/** The lab's rooms, each on top of those before it. Its commands and the tour know all of them. */
const labRooms = ["machine", "host", "images", "cluster", "stack", "demonstration", "incident"];
const labRules = [...labRooms, "commands", "tour"].map((room): Rule => {
  const at = labRooms.indexOf(room);
  const beneath = at === -1 ? labRooms : labRooms.slice(0, at);
  const known = [...beneath, room].map((folder) => `lab/${folder}`);
  return [
    `the lab's ${room} knows what lies beneath it`,
    `lab/${room}/**/*.ts`,
    within("contract", "provider", ...known),
  ];
});

test("imports are found, over several lines and for types as well", () => {
  const modules = (file: string) => importsOf(file).map(({ module }) => module);
  expect(modules("components/host/registry-host.ts")).toContain("components/host/settings.ts");
  expect(modules("config/read-secrets.ts")).toContain("config/secret-rules.ts");
  expect(modules("config/read-vault.ts")).toContain("@pulumi/vault");
  expect(modules("lab/main.ts")).toContain("lab/incident/incident.ts");
});

describe("imports go one way:", () => {
  test.each<Rule>([
    ["the contract knows nothing of ours", "contract/**/*.ts", within("contract")],
    ["scripts know the contract only", "scripts/**/*.ts", within("scripts", "contract")],
    ["scripts never import Pulumi", "scripts/**/*.ts", (module) => !isPulumi(module)],
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
    [
      "the engine knows the program and how a run is reported",
      "engine/**/*.ts",
      within(
        "engine",
        "contract",
        "index.ts",
        // How a host is reached is written once: the provider's.
        "provider/resources.ts",
        "provider/errors.ts",
        "provider/ssh",
        "scripts/report/exposition.ts",
        "scripts/report/pushgateway.ts",
        "scripts/report/webhook.ts",
      ),
    ],
    [
      "adopting knows what the stack would be, and how a host is reached",
      "adopt/**/*.ts",
      within(
        "adopt",
        "contract",
        "config",
        "components/yaml.ts",
        "components/host/render",
        "components/host/settings.ts",
        "provider",
        "scripts/in-use/cluster",
        "scripts/http",
        // For the preview of the first update alone.
        "engine",
        "index.ts",
      ),
    ],
    [
      "what adopting plans is plain: it reaches no host",
      "adopt/plan/*.ts",
      (module) => !isPulumi(module) && !module.startsWith("provider/") && !module.startsWith("adopt/read/"),
    ],
    ["the lab knows the contract and the provider", "lab/**/*.ts", within("lab", "contract", "provider")],
    [
      "measurements take of the tests the shared helpers only",
      "bench/**/*.ts",
      within("bench", "contract", "lab", "scripts", "test/support"),
    ],
    ...labRules,
  ])("%s", (_, pattern, isAllowed) => {
    expect(offences(pattern, isAllowed)).toEqual([]);
  });

  test("tests take helpers from test/support or from below their own folder", () => {
    const isAllowed = (module: string, file: string) =>
      !module.startsWith("test/") ||
      (!module.endsWith(".test.ts") &&
        (module.startsWith("test/support/") || module.startsWith(`${dirname(file)}/`)));
    expect(offences("test/**/*.ts", isAllowed)).toEqual([]);
  });
});

/** What each folder of scripts may import of the others. One that is new needs a line here. */
const beneathCommands = ["cli", "http", "registry", "source", "graph", "report"];
const folders: Readonly<Record<string, readonly string[]>> = {
  registry: [],
  cli: ["http", "registry"],
  http: ["cli"],
  source: ["cli", "http", "registry"],
  graph: ["registry", "source"],
  report: ["cli", "http", "registry", "source", "graph"],
  "store-change": ["cli", "registry", "source"],
  "store-check": ["cli", "registry", "source", "graph"],
  "access-log": ["cli", "registry"],
  "in-use-list": ["cli", "registry", "source"],
  "retention-rules": ["cli"],
  mark: ["cli", "registry", "source", "graph", "store-check", "store-change", "retention-rules"],
  "write-freeze": ["cli"],
  push: ["cli", "http", "registry"],
  scan: [...beneathCommands, "store-check"],
  export: [...beneathCommands, "store-check"],
  probe: beneathCommands,
  verify: beneathCommands,
  "in-use": [...beneathCommands, "push"],
  deployment: [...beneathCommands, "push"],
  repair: [...beneathCommands, "store-check", "store-change"],
  retain: [
    ...beneathCommands,
    "store-check",
    "store-change",
    "write-freeze",
    "access-log",
    "in-use-list",
    "retention-rules",
  ],
  gc: [
    ...beneathCommands,
    "store-check",
    "store-change",
    "mark",
    "write-freeze",
    "access-log",
    "in-use-list",
    "retention-rules",
  ],
};

describe("within scripts,", () => {
  test("every folder has its line", () => {
    const found = globSync("scripts/*/", { cwd: root }).map((path) => path.split("/")[1]);
    expect(found.sort()).toEqual(Object.keys(folders).sort());
  });

  test("no command imports another, and nothing below a command imports one, but for the table of commands", () => {
    const found = Object.entries(folders).flatMap(([folder, known]) => {
      const isAllowed = within("contract", ...[folder, ...known].map((name) => `scripts/${name}`));
      return offences(`scripts/${folder}/**/*.ts`, isAllowed);
    });
    const isTable = (offence: string) =>
      /^scripts\/cli\/commands\.ts -> scripts\/[\w/-]+\/main\.ts$/.test(offence);
    expect(found.filter((offence) => !isTable(offence)).sort()).toEqual([]);
  });

  test("the two commands around a deployment share what stands beside them, not each other's steps", () => {
    const [check, seed] = ["scripts/deployment/check-deployment", "scripts/deployment/seed-sentinel"];
    expect(offences(`${check}/**/*.ts`, (module) => !module.startsWith(`${seed}/`))).toEqual([]);
    expect(offences(`${seed}/**/*.ts`, (module) => !module.startsWith(`${check}/`))).toEqual([]);
  });

  test.each(["registry", "graph"])(
    "%s is pure: at no depth it reaches a file, the network or a process",
    (folder) => {
      const computing = ["node:crypto", "node:path"];
      const reached = [...reachedFrom(`scripts/${folder}/**/*.ts`)];
      expect(reached.filter((module) => module.startsWith("node:") && !computing.includes(module))).toEqual(
        [],
      );
      expect(reached.filter((module) => /^scripts\/(http|source\/(disk|http))\//.test(module))).toEqual([]);
    },
  );
});

test("the engine reaches of scripts only how a run is reported and sent", () => {
  const ofScripts = [...reachedFrom("engine/drift/*.ts")].filter((module) => module.startsWith("scripts/"));
  expect(ofScripts.sort()).toEqual([
    "scripts/cli/errors.ts",
    "scripts/http/exchange.ts",
    "scripts/http/retry.ts",
    "scripts/report/exposition.ts",
    "scripts/report/pushgateway.ts",
    "scripts/report/split-account.ts",
    "scripts/report/webhook.ts",
  ]);
});

test("configuration is read in read-config.ts alone, Vault in read-vault.ts alone", () => {
  const sources = globSync("{*.ts,components/**/*.ts,config/**/*.ts}", { cwd: root });
  const containing = (text: RegExp) =>
    sources.filter((file) => text.test(readFileSync(join(root, file), "utf8")));
  expect(containing(/pulumi\.Config\b/)).toEqual(["config/read-config.ts"]);
  expect(containing(/@pulumi\/vault/).sort()).toEqual([
    "components/vault/vault-access.ts",
    "config/read-vault.ts",
  ]);
  expect(containing(/vault\.\w+\.get[A-Z]/)).toEqual(["config/read-vault.ts"]);
  // Which kubeconfig kubectl would read, and which agent SSH would ask, is a matter of the environment.
  expect(containing(/process\.env/).filter((file) => file !== "vitest.config.ts")).toEqual([
    "config/read-config.ts",
    "config/read-kubeconfig.ts",
  ]);
});

test("unit tests stand in the folder of the source that they are about", () => {
  const folders = globSync("test/unit/**/*.test.ts", { cwd: root }).map((path) => dirname(path));
  const sources = [...new Set(folders)].map((folder) => folder.replace(/^test\/unit\/?/, ""));
  // A folder that begins with a dot is left out by globs, so that of the pipelines' tests has none.
  const withDot = (folder: string) => (folder === "woodpecker" ? `.${folder}` : folder);
  expect(sources.filter((folder) => !existsSync(join(root, withDot(folder))))).toEqual([]);
});
