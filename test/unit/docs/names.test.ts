import { globSync } from "node:fs";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import {
  isInCode,
  knownAlerts,
  knownHostPaths,
  knownKeys,
  knownMetrics,
  knownNames,
  openHostPaths,
  projectFiles,
} from "../../support/documents/known-names.ts";
import { documents } from "../../support/documents/markdown.ts";
import { allOptions, faultOf } from "../../support/documents/programs.ts";
import { shownCommands } from "../../support/documents/shell-words.ts";
import { root } from "../../support/imports.ts";

/** The log of changes names what was. */
const all = documents().filter(({ file }) => file !== "CHANGELOG.md");

interface Piece {
  readonly at: string;
  readonly text: string;
}

/** `AT: NAME: FAULT` for each name in the pieces that has a fault. */
function faults(
  pieces: readonly Piece[],
  pattern: RegExp,
  faultOfName: (name: string) => string | undefined,
) {
  return pieces.flatMap(({ at, text }) =>
    [...text.matchAll(pattern)].flatMap(([name]) => {
      const fault = faultOfName(name);
      return fault === undefined ? [] : [`${at}: ${name}: ${fault}`];
    }),
  );
}

const spans = all.flatMap((document) => document.spans);
const blocks = all.flatMap((document) => document.blocks);
const code: readonly Piece[] = [...spans, ...blocks];

describe("commands", () => {
  test.each([
    ["regwarden scan /opt/registry/data --json", undefined],
    ["regwarden scna /opt/registry/data", "regwarden has no scna"],
    ["node dist/regwarden.mjs scan /data --verify-digest", "regwarden scan has no option --verify-digest"],
    ["REG_USER=ci npm run drift -- --stack prod", undefined],
    ["npm run drfit", "package.json has no script drfit"],
    ["npm run up -- --unattended", "npm run up has no option --unattended"],
    ["npm run up --yes", 'npm itself takes --yes: "--" is missing before it'],
    ["npm run lab -- incident --speed 9", undefined],
    ["npm run lab -- indicent", "npm run lab has no indicent"],
    ["npm run bench -- scan --large", undefined],
    ["npm run bench -- scna", "npm run bench has no scna"],
    ["docker ps --all", undefined],
  ])("a wrong one is found: %s", async (text, fault) => {
    const [command = []] = shownCommands(text);
    expect(await faultOf(command)).toBe(fault);
  });

  test("of the project, with their options, exist", async () => {
    const shells = blocks.filter(({ language }) => language === "sh");
    const found: string[] = [];
    for (const { at, text } of [...spans, ...shells]) {
      for (const command of shownCommands(text)) {
        const fault = await faultOf(command);
        if (fault !== undefined) found.push(`${at}: ${fault}`);
      }
    }
    expect(found).toEqual([]);
    // It starts each program for its help: on a busy machine a minute.
  }, 180_000);

  /** Options of other programs, named alone. */
  const others = [
    "--delete-untagged",
    "--run-program",
    "--refresh",
    "--expect-no-changes",
    "--continue-on-error",
  ];

  test("whose options stand alone have them", async () => {
    const options = await allOptions();
    const alone = spans.filter(({ text }) => text.startsWith("--"));
    expect(
      faults(alone, /^--[a-z][\w-]*/g, (name) =>
        options.has(name) || others.includes(name) ? undefined : "no program has this option",
      ),
    ).toEqual([]);
  });
});

describe("names", () => {
  test("of metrics exist", () => {
    expect(
      faults(
        code,
        /\b(?:registry_manifest_|registry_storage_|regwarden_|drift_)\w*[a-z]\b(?![*:])/g,
        (name) => (knownMetrics.has(name) || name === "regwarden_access" ? undefined : "no such metric"),
      ),
    ).toEqual([]);
  });

  test("of alerts exist", () => {
    const prose = all.map(({ file, prose }) => ({ at: file, text: prose }));
    expect(
      faults(
        [...prose, ...code],
        /(?<![\w/.])(?:DockerRegistry|Registry|Drift|DriveSync|Unmanaged|HarmfulJob)[A-Z][A-Za-z]+\b(?!\.)/g,
        (name) => (knownAlerts.has(name) || isInCode(`class ${name} `) ? undefined : "no such alert"),
      ),
    ).toEqual([]);
  });

  test("of units, containers and cluster objects exist", () => {
    const pattern =
      /(?<![\w/.-])(?:regwarden|registry|docker-compose)-[a-z][a-z-]*[a-z](?:\.(?:service|timer|path))?(?![\w./-])/g;
    expect(
      faults(code, pattern, (name) =>
        knownNames.has(name) || isInCode(`${name}"`) || isInCode(`${name}-$`) ? undefined : "no such name",
      ),
    ).toEqual([]);
  });

  test("of configuration keys exist", () => {
    const topLevel = new Set([...knownKeys].map((key) => key.split(".")[0] ?? ""));
    const isKey = (path: string) => knownKeys.has(path.replaceAll(/\[\d*\]/g, ""));
    const dotted = spans.filter(({ text }) => {
      const path = text.replace(/: .*$/, "");
      return /^[a-z][A-Za-z]*(?:\.[a-z][A-Za-z]*)+$/.test(path) && topLevel.has(path.split(".")[0] ?? "");
    });
    expect([
      ...faults(dotted, /^[\w.]+/g, (name) => (isKey(name) ? undefined : "no such key")),
      ...faults(code, /\bregwarden:[a-zA-Z][\w.]*(?<![.])/g, (name) =>
        isKey(name.replace("regwarden:", "").replace(/\.(blog|dockerhub)$/, "")) ||
        name.startsWith("regwarden:host:")
          ? undefined
          : "no such key",
      ),
    ]).toEqual([]);
  });

  test("of configuration keys in YAML exist", () => {
    const found = blocks
      .filter(({ language, text }) => language === "yaml" && /^ *regwarden:\w+:/m.test(text))
      .flatMap(({ at, text }) => pathsIn(configurationOf(load(text))).map((path) => [at, path] as const))
      .filter(([, path]) => !knownKeys.has(path));
    expect(found).toEqual([]);
  });
});

/** The values of the namespace, from a stack's file or a part of one. */
function configurationOf(document: unknown): object {
  const values = (document as { config?: object }).config ?? (document as object);
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key.replace("regwarden:", ""), value as unknown]),
  );
}

/** Paths of all values in an object, lists left out of the path. */
function pathsIn(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((item) => pathsIn(item, path)))];
  if (value === null || typeof value !== "object" || "secure" in value) return [path];
  return Object.entries(value).flatMap(([key, inner]) =>
    pathsIn(inner, path === "" ? key : `${path}.${key}`),
  );
}

describe("paths", () => {
  const top = new Set(
    projectFiles.filter((file) => file.includes("/")).map((file) => file.split("/")[0] ?? ""),
  );
  /** Built, and so not in git. */
  const built = ["dist/regwarden.mjs", "dist/regwarden-cluster.mjs"];

  test("of the project exist", () => {
    const pattern = /(?<![\w./:-])\.?[a-zA-Z][\w-]*\/[\w./*!()-]*[\w/*]/g;
    expect(
      faults(code, pattern, (path) => {
        if (!top.has(path.split("/")[0] ?? "") || built.includes(path)) return undefined;
        const files = globSync(path.replaceAll(/[A-Z]{2,}(?![\w.]*[a-z])/g, "*"), { cwd: root });
        return files.length > 0 ? undefined : "no such file";
      }),
    ).toEqual([]);
  });

  test("on the host exist", () => {
    const pattern =
      /(?<![\w.-])\/(?:opt\/registry|etc\/regwarden|etc\/tmpfiles\.d\/regwarden|var\/lib\/regwarden|var\/log\/regwarden|var\/backups\/regwarden|run\/regwarden)[\w./-]*/g;
    const isKnown = (path: string) =>
      knownHostPaths.has(path) || openHostPaths.some((open) => `${path}/`.startsWith(`${open}/`));
    expect(
      faults(code, pattern, (path) =>
        isKnown(path.replace(/[/.]$/, "")) ? undefined : "no such path on the host",
      ),
    ).toEqual([]);
  });

  test("of variables exist", () => {
    expect(
      faults(code, /\b(?:REGWARDEN|REG|FROM)_[A-Z_]+\b/g, (name) =>
        isInCode(name) ? undefined : "no program reads it",
      ),
    ).toEqual([]);
  });
});
