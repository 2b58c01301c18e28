import { type ResourceChange, shortType } from "../changes.ts";
import { cell, code, codeBlock, htmlCode, link } from "./markdown.ts";
import { marker } from "./marker.ts";

/** What a preview came to. */
export type PreviewResult =
  | { readonly kind: "changes"; readonly changes: readonly ResourceChange[] }
  | { readonly kind: "clean" }
  /** `errors`: what the engine said, one message each. */
  | { readonly kind: "failed"; readonly errors: readonly string[] };

/** What a comment says beside the result. */
export interface CommentFacts {
  readonly stack: string;
  /** Undefined where no pull request is known. */
  readonly commit: string | undefined;
  /** Page of the CI run. */
  readonly runUrl: string | undefined;
  /** Longest text that the forge takes. */
  readonly maxBytes: number;
}

/** GitHub's limit, which most comments keep to anyway. */
export const usualMaxBytes = 65_536;

const maxProperties = 10;
const maxErrorLines = 60;

/** The comment for a result, hidden marker included; what does not fit is left out at a resource's border. */
export function commentBody(result: PreviewResult, facts: CommentFacts): string {
  const { stack, commit } = facts;
  const head = (text: string) => `${marker(stack)}\n### Stack ${code(stack)}: ${text}\n`;
  const at = commit === undefined ? "" : ` at ${code(shortCommit(commit))}`;
  const foot = footer(facts);
  if (result.kind === "clean") return `${head(`no changes${at}`)}${foot}`;
  if (result.kind === "changes") {
    const title = `${counted(result.changes.length, "resource changes", "resources change")}${at}`;
    return changesBody(head(title), result.changes, foot, facts.maxBytes);
  }
  const intro = "What this pull request would change is not known.";
  return failureBody(`${head(`the preview failed${at}`)}\n${intro}\n`, result.errors, foot, facts.maxBytes);
}

function changesBody(
  head: string,
  changes: readonly ResourceChange[],
  foot: string,
  maxBytes: number,
): string {
  const [table, tableBytes] = tableOf(
    changes,
    maxBytes - bytes(head) - bytes(foot) - bytes(leftOut(changes)),
  );
  let room = maxBytes - bytes(head) - bytes(foot) - bytes(leftOut(changes)) - tableBytes;
  const missing: ResourceChange[] = [];
  const details: string[] = [];
  for (const change of changes) {
    const text = detailsOf(change);
    if (bytes(text) <= room) {
      room -= bytes(text);
      details.push(text);
    } else missing.push(change);
  }
  return `${head}${table}${details.join("")}${missing.length === 0 ? "" : leftOut(missing)}${foot}`;
}

/** The table, with as many rows as there is room for, and its size. */
function tableOf(changes: readonly ResourceChange[], maxBytes: number): [text: string, sizeBytes: number] {
  const summary = `\n${countsByOperation(changes)}\n\n| operation | kind | resource | properties |\n| --- | --- | --- | --- |\n`;
  const more = (count: number) => (count === 0 ? "" : `\nand ${count} more; the log of the run names them\n`);
  let text = summary;
  for (const [at, change] of changes.entries()) {
    const next = rowOf(change);
    if (bytes(text) + bytes(next) + bytes(more(changes.length)) > maxBytes) {
      text += more(changes.length - at);
      break;
    }
    text += next;
  }
  return [text, bytes(text)];
}

function rowOf(change: ResourceChange): string {
  const { operation, name, properties } = change;
  const rest = properties.length - maxProperties;
  const named = properties.slice(0, maxProperties).join(", ");
  const cells = [cell(operation), cell(shortType(change)), cell(name), cell(named)];
  return `| ${cells.join(" | ")}${rest > 0 ? ` and ${rest} more` : ""} |\n`;
}

function countsByOperation(changes: readonly ResourceChange[]): string {
  const counts = new Map<string, number>();
  for (const { operation } of changes) counts.set(operation, (counts.get(operation) ?? 0) + 1);
  return [...counts].map(([operation, count]) => `${count} × ${code(operation)}`).join(", ");
}

function detailsOf(change: ResourceChange): string {
  const { operation, name, diffs = [] } = change;
  const lines = diffs.flatMap(({ path, lines }) => (path === "" ? lines : [`@@ ${path} @@`, ...lines]));
  if (lines.length === 0) return "";
  const added = lines.filter((line) => line.startsWith("+")).length;
  const removed = lines.filter((line) => line.startsWith("-")).length;
  const what = [operation, shortType(change), name].map(htmlCode).join(" ");
  return `\n<details><summary>${what} (+${added} −${removed})</summary>\n\n${codeBlock("diff", lines)}\n\n</details>\n`;
}

function leftOut(changes: readonly ResourceChange[]): string {
  const those = counted(changes.length, "diff is", "diffs are");
  return `\n${those} left out, as this forge takes no longer comment. The log of the run shows all of them.\n`;
}

function failureBody(head: string, errors: readonly string[], foot: string, maxBytes: number): string {
  const lines = errors.flatMap((error) => error.trim().split("\n"));
  const block = (count: number) => {
    const rest = lines.length - count;
    const more = rest > 0 ? [`... and ${rest} more lines in the log of the run`] : [];
    return `\n${codeBlock("text", [...lines.slice(0, count), ...more])}\n`;
  };
  for (let count = Math.min(lines.length, maxErrorLines); count > 0; count -= 1) {
    const text = `${head}${block(count)}${foot}`;
    if (bytes(text) <= maxBytes) return text;
  }
  return `${head}${foot}`;
}

function footer({ commit, runUrl }: CommentFacts): string {
  const facts = [
    ...(commit === undefined ? [] : [`Commit ${code(commit)}`]),
    ...(runUrl === undefined ? [] : [link("log of the run", runUrl)]),
  ];
  return facts.length === 0 ? "" : `\n${facts.join(" · ")}\n`;
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

function shortCommit(commit: string): string {
  return commit.slice(0, 10);
}

/** A forge counts characters; bytes are never fewer. */
function bytes(text: string): number {
  return Buffer.byteLength(text);
}
