import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { usage as engineUsage, parseEngineArgs } from "../../../engine/args.ts";
import { dnsUsage, parseDnsArgs } from "../../../engine/dns/args.ts";
import { usage as labUsage, parseLabArgs } from "../../../lab/commands/args.ts";
import packageJson from "../../../package.json" with { type: "json" };
import { root } from "../imports.ts";
import { regwarden } from "../program.ts";
import type { ShownCommand } from "./shell-words.ts";

/** Asks the project's own programs what they understand. None of them gets as far as doing something. */

const scripts: Readonly<Record<string, string>> = packageJson.scripts;

/** Refused by every program, before it does anything. */
const refused = "--no-such-option";

/** How to start a program with more arguments; gives what it prints. */
type Ask = (...args: readonly string[]) => Promise<string>;

interface Call {
  readonly name: string;
  readonly ask: Ask;
  readonly args: readonly string[];
}

const answers = new Map<string, Promise<string>>();

function memoized(name: string, ask: Ask): Ask {
  return (...args) => {
    const key = [name, ...args].join(" ");
    const answer = answers.get(key) ?? ask(...args);
    answers.set(key, answer);
    return answer;
  };
}

const askRegwarden = memoized("regwarden", async (...args) => {
  const { stdout, stderr } = await regwarden(args);
  return stdout + stderr;
});

/** The program that an npm script ends with. The large ones are asked in this process, which takes no seconds. */
function askScript(name: string): Ask {
  const [, main = "", fixed = ""] = /node (\S+\.ts) ?(.*)$/.exec(scripts[name] ?? "") ?? [];
  const words = fixed.split(" ").filter((word) => word !== "");
  if (main === "engine/main.ts") {
    return async (...args) => printed(engineUsage, () => parseEngineArgs([...words, ...args]) === "help");
  }
  if (main === "engine/dns/main.ts") {
    return async (...args) => printed(dnsUsage, () => parseDnsArgs(args) === "help");
  }
  if (main === "lab/main.ts") {
    return async (...args) => printed(labUsage, () => parseLabArgs(args, {}).command === "help");
  }
  // Starting it takes seconds, and its table is all that it knows.
  if (main === "bench/main.ts") return async () => readFileSync(`${root}/${main}`, "utf8");
  return memoized(`npm run ${name}`, async (...args) => {
    const options = { cwd: root, encoding: "utf8" } as const;
    const { stdout, stderr } = spawnSync(process.execPath, [main, ...words, ...args], options);
    return stdout + stderr;
  });
}

/** What a program prints that shows its usage on request, and else why it refuses. */
function printed(usage: string, isHelp: () => boolean): string {
  try {
    return isHelp() ? usage : "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Commands of npm itself that documents show. */
const npmCommands = ["ci", "test", "run"];

function callOf([program, ...words]: ShownCommand): Call | string | undefined {
  if (program === "regwarden") return { name: program, ask: askRegwarden, args: words };
  const bundle = words.findIndex((word) => /(?:^|\/)regwarden\.mjs$/.test(word));
  if (program === "node" && bundle !== -1)
    return { name: "regwarden", ask: askRegwarden, args: words.slice(bundle + 1) };
  if (program !== "npm") return undefined;
  const [command = "", name = "", dashes, ...args] = words;
  if (!npmCommands.includes(command)) return `npm has no ${command}`;
  if (command !== "run") return undefined;
  if (name === "..." || name === "") return undefined;
  if (!(name in scripts)) return `package.json has no script ${name}`;
  if (dashes === undefined) return undefined;
  if (dashes !== "--") return `npm itself takes ${dashes}: "--" is missing before it`;
  return { name: `npm run ${name}`, ask: askScript(name), args };
}

/** What is wrong with a command that a document shows; undefined where nothing is, or where it is none of ours. */
export async function faultOf(command: ShownCommand): Promise<string | undefined> {
  const call = callOf(command);
  if (call === undefined || typeof call === "string") return call;
  const { name, ask, args } = call;
  // `regwarden gc`, `npm run lab -- incident`: a word that says what is to be done.
  const hasWord = /^[a-z][a-z-]*$/.test(args[0] ?? "") && !(await takesNoWord(ask));
  const word = hasWord ? (args[0] ?? "") : "";
  if (word !== "" && !mentions(await ask("--help"), word)) return `${name} has no ${word}`;
  const before = word === "" ? [] : [word];
  for (const flag of args.filter((arg) => /^--[a-z]/.test(arg)).map((arg) => arg.replace(/[=,.].*$/, ""))) {
    if (!(await understands(ask, before, flag)))
      return `${[name, ...before].join(" ")} has no option ${flag}`;
  }
  return undefined;
}

async function takesNoWord(ask: Ask): Promise<boolean> {
  return !/COMMAND|Commands|\[[A-Z]+\]|\|/.test(await ask("--help"));
}

async function understands(ask: Ask, before: readonly string[], flag: string): Promise<boolean> {
  if (!mentions(await ask(...before, "--help"), flag)) return false;
  return !(await ask(...before, flag, refused)).includes(`Unknown option '${flag}'`);
}

const mentions = (text: string, word: string) =>
  new RegExp(`(?<![\\w-])${word.replaceAll("-", "\\-")}(?![\\w-])`).test(text);

/** Options of all programs of the project, and of `npm run` scripts that documents name. */
export async function allOptions(): Promise<ReadonlySet<string>> {
  const commands = [...(await askRegwarden("--help")).matchAll(/^ {2}([a-z][a-z-]*) {2}/gm)].map(
    ([, name = ""]) => name,
  );
  const helps = [
    ...commands.map((name) => askRegwarden(name, "--help")),
    ...Object.keys(scripts)
      .filter((name) => /node (?:engine|lab|bench|adopt)\/\S*main\.ts/.test(scripts[name] ?? ""))
      .map((name) => askScript(name)("--help")),
  ];
  return new Set((await Promise.all(helps)).flatMap((text) => text.match(/--[a-z][\w-]*/g) ?? []));
}
