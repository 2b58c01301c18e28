import { type ResourceChange, shortType } from "../changes.ts";
import type { DriftCheck } from "./record.ts";

/** Resources in a message, and properties of one resource. */
const maxNames = 20;

export interface MessageFacts {
  readonly stack: string;
  /** Unix seconds; 0 when it is not known. */
  readonly firstSeen: number;
  /** Page of the CI run. */
  readonly runUrl: string | undefined;
  /** What is on the host and not declared, as far as it is to be reported. */
  readonly undeclared: readonly string[];
}

/**
 * The text for a Slack-compatible webhook, with names and never a value; undefined when there is nothing to report.
 * Source: docs.slack.dev, "Formatting message text": &, < and > are the only characters to escape.
 */
export function driftMessage(check: DriftCheck, facts: MessageFacts): string | undefined {
  const lines = [...checkLines(check, facts), ...undeclaredLines(facts)];
  if (lines.length === 0) return undefined;
  const run = facts.runUrl ? [`Run: ${escaped(facts.runUrl)}`] : [];
  return [...lines, ...run].join("\n");
}

function checkLines(check: DriftCheck, facts: MessageFacts): string[] {
  if (check.kind === "clean") return [];
  const deferred = (check.deferred ?? []).map(
    ({ host, reason }) =>
      `• could not check ${escaped(host)}${reason === undefined ? "" : `: ${escaped(reason)}`}`,
  );
  return check.kind === "drift"
    ? [...driftLines(check.changes, facts), ...deferred]
    : [...uncheckedLines(facts, deferred.length), ...deferred];
}

function undeclaredLines({ stack, undeclared }: MessageFacts): string[] {
  if (undeclared.length === 0) return [];
  const rest = undeclared.length - maxNames;
  return [
    `The host of stack ${escaped(stack)} has ${undeclared.length} beside what is declared:`,
    ...undeclared.slice(0, maxNames).map((line) => `• ${escaped(line)}`),
    ...(rest > 0 ? [`and ${rest} more`] : []),
  ];
}

function driftLines(changes: readonly ResourceChange[], { stack, firstSeen }: MessageFacts): string[] {
  const since = firstSeen > 0 ? `, first seen ${timeOf(firstSeen)}` : "";
  const resources = `${changes.length} ${changes.length === 1 ? "resource" : "resources"}`;
  const named = changes.slice(0, maxNames).map((change) => {
    const properties = list(change.properties);
    const what = `${change.operation} ${shortType(change)} ${change.name}`;
    return `• ${escaped(properties === "" ? what : `${what}: ${properties}`)}`;
  });
  const rest = changes.length - maxNames;
  return [
    `Drift: stack ${escaped(stack)} differs from its program in ${resources}${since}.`,
    ...named,
    ...(rest > 0 ? [`and ${rest} more`] : []),
    "What is declared comes back with `npm run up`.",
  ];
}

function uncheckedLines({ stack, firstSeen }: MessageFacts, hosts: number): string[] {
  const earlier = firstSeen > 0 ? ` Drift was first seen ${timeOf(firstSeen)}.` : "";
  if (hosts > 0)
    return [`Drift: could not check all of stack ${escaped(stack)}; the rest has none.${earlier}`];
  return [
    `Drift: could not check stack ${escaped(stack)}; whether it drifted is not known.${earlier} The log of the run says why.`,
  ];
}

function list(names: readonly string[]): string {
  const rest = names.length - maxNames;
  return [...names.slice(0, maxNames), ...(rest > 0 ? [`and ${rest} more`] : [])].join(", ");
}

function timeOf(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
