import { globSync, readFileSync } from "node:fs";
import { root } from "../imports.ts";

/** How a shell block is run in the lab, by the HTML comment above it. */
export type Treatment =
  /** In this repository, as a person at a desk; the default. Each of its commands ends with one of these codes. */
  | { readonly runs: "here"; readonly exits: readonly number[] }
  /** As root on the host. */
  | { readonly runs: "host"; readonly exits: readonly number[] }
  | { readonly runs: "never"; readonly reason: string };

/** A fenced block. */
export interface Block {
  /** `FILE:LINE` of its fence. */
  readonly at: string;
  readonly language: string;
  readonly text: string;
  /** Undefined where the comment above it is no treatment that is known. */
  readonly treatment: Treatment | undefined;
}

export interface Link {
  readonly at: string;
  readonly target: string;
}

/** Text between backquotes, on one line. */
export interface Span {
  readonly at: string;
  readonly text: string;
}

/** A Markdown file of the project, taken apart. */
export interface Document {
  /** Relative to the project's root. */
  readonly file: string;
  /** As GitHub, GitLab and Forgejo make them. */
  readonly anchors: ReadonlySet<string>;
  readonly links: readonly Link[];
  readonly spans: readonly Span[];
  readonly blocks: readonly Block[];
  /** All text that is no code. */
  readonly prose: string;
}

/** Every Markdown file for people, in the order in which one reads them. */
export function documents(): Document[] {
  const files = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    ...globSync("docs/**/*.md", { cwd: root }).sort(),
  ];
  return files.map((file) => parseDocument(file, readFileSync(`${root}/${file}`, "utf8")));
}

const FENCE = /^ *```(\w*)\n([\s\S]*?)^ *```$/gm;
const SPAN = /(?<!`)`([^`]+)`(?!`)/g;
const LINK = /\[[^\]]*\]\(([^()\s]*(?:\([^()\s]*\))?[^()\s]*)\)/g;

/** Takes Markdown apart; `file` names it in what is reported. */
export function parseDocument(file: string, text: string): Document {
  const lineOf = (offset: number) => `${file}:${text.slice(0, offset).split("\n").length}`;
  const blocks = [...text.matchAll(FENCE)].map(({ index, 1: language = "", 2: content = "" }) => ({
    at: lineOf(index),
    language,
    text: withoutIndent(content),
    treatment: treatmentOf(text.slice(0, index)),
  }));
  // Of the same length, so that what is found keeps its line.
  const plain = text.replace(FENCE, blank).replace(/<!--[\s\S]*?-->/g, blank);
  const spans = [...plain.matchAll(SPAN)].map(({ index, 1: content = "" }) => ({
    at: lineOf(index),
    text: content.replace(/\s+/g, " ").trim(),
  }));
  const prose = plain.replace(SPAN, blank);
  const links = [...prose.matchAll(LINK)].map(({ index, 1: target = "" }) => ({ at: lineOf(index), target }));
  return { file, anchors: anchorsOf(plain), links, spans, blocks, prose };
}

const blank = (text: string) => text.replace(/[^\n]/g, " ");

function withoutIndent(text: string): string {
  const indent = Math.min(...[...text.matchAll(/^ *(?=\S)/gm)].map(([spaces]) => spaces.length));
  return text.replaceAll(new RegExp(`^ {${Number.isFinite(indent) ? indent : 0}}`, "gm"), "");
}

/** `not run: REASON`, `run here` or `run on the VM`, the last two also with `, exit 1` or `, exit 0 or 1`. */
function treatmentOf(before: string): Treatment | undefined {
  const [, comment] = /<!--((?:(?!-->)[\s\S])*)-->\s*$/.exec(before) ?? [];
  if (comment === undefined) return { runs: "here", exits: [0] };
  const [, reason] = /^\s*not run:\s*(\S[\s\S]*?)\s*$/.exec(comment) ?? [];
  if (reason !== undefined) return { runs: "never", reason: reason.replace(/\s+/g, " ") };
  const [, where, exits = "0"] =
    /^\s*run (here|on the VM)(?:, exit (\d+(?: or \d+)*))?\s*$/.exec(comment) ?? [];
  if (where === undefined) return undefined;
  return { runs: where === "here" ? "here" : "host", exits: exits.split(" or ").map(Number) };
}

function anchorsOf(text: string): Set<string> {
  const seen = new Map<string, number>();
  const headings = [...text.matchAll(/^#{1,6} +(.+?) *#*$/gm)].map(([, title = ""]) => slug(title));
  return new Set(
    headings.map((name) => {
      const count = seen.get(name) ?? 0;
      seen.set(name, count + 1);
      return count === 0 ? name : `${name}-${count}`;
    }),
  );
}

function slug(title: string): string {
  return title
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");
}
