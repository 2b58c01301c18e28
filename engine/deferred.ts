import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation/index.js";
import * as v from "valibot";
import { parseDeferral, reachableType } from "../contract/dns.ts";

/** A host that could not be reached: nothing is known of it and nothing was changed there, while the rest went on. */
export interface Deferred {
  /** What the configuration calls it. */
  readonly host: string;
  /** What was tried, and what came of it; undefined where the run's errors alone say it. */
  readonly reason: string | undefined;
}

const inputs = v.object({ host: v.string(), reached: v.optional(v.string()) });

/** The host that an event says could not be reached: what it has of the host differs, or making that failed. */
export function deferredIn(event: EngineEvent): Deferred | undefined {
  const planned = event.resourcePreEvent?.metadata;
  if (planned?.type === reachableType && planned.op === "update") return fromStep(planned);
  const failed = event.resOpFailedEvent?.metadata;
  if (failed?.type === reachableType) return fromStep(failed);
  // The reason why it could not be made is in no step.
  const { urn = "", message = "" } = event.diagnosticEvent ?? {};
  return urn.includes(`${reachableType}::`)
    ? parseDeferral(message.replaceAll(/<\{%.*?%\}>/g, ""))
    : undefined;
}

function fromStep({ old, new: after }: StepEventMetadata): Deferred | undefined {
  const [was, wanted] = [old, after].map((state) => v.safeParse(inputs, state?.inputs));
  const host = wanted?.success ? wanted.output.host : was?.success ? was.output.host : undefined;
  return host === undefined ? undefined : { host, reason: was?.success ? was.output.reached : undefined };
}

/** Each host once, with the reason where one is known. */
export function eachOnce(found: readonly Deferred[]): Deferred[] {
  const all = [
    ...found.filter(({ reason }) => reason !== undefined),
    ...found.filter(({ reason }) => reason === undefined),
  ];
  return all.filter(({ host }, at) => all.findIndex((other) => other.host === host) === at);
}

/** What a run says of them, one line a host; empty where there is none. */
export function deferredText(deferred: readonly Deferred[]): string {
  if (deferred.length === 0) return "";
  const lines = deferred.map(
    ({ host, reason }) => `  ${host}: ${reason ?? "the errors of this run say why"}`,
  );
  const head = `Deferred, as they could not be reached (nothing is known of them, nothing was changed there):`;
  return `\n${[head, ...lines].join("\n")}\n`;
}

/** Whether a stack's configuration has hosts that the rest does not wait for. */
export function hasDeferrableHosts(config: Readonly<Record<string, { readonly value: string }>>): boolean {
  try {
    const { hosts } = JSON.parse(config["regwarden:dns"]?.value ?? "{}") as { hosts?: unknown };
    return Array.isArray(hosts) && hosts.length > 0;
  } catch {
    // What is wrong with it the program reports.
    return false;
  }
}
