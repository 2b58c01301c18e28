import * as v from "valibot";
import type { Answer, Request } from "../http/exchange.ts";
import { createRetryingSend } from "../http/retry.ts";
import { splitAccount } from "./split-account.ts";

/** Labels that a group is known by, in order; the first is `job`. */
export type GroupingKey = readonly (readonly [label: string, value: string])[];

/** A Pushgateway that did not take or give metrics. The text has no more of its address than scheme, host and port. */
export class PushgatewayError extends Error {
  override readonly name = "PushgatewayError";
}

/**
 * Puts a group's metrics in the place of all that it had.
 *
 * `base` is the Pushgateway's URL; an account in it is sent as Basic authentication.
 * Errors: PushgatewayError.
 */
export async function putGroup(base: string, key: GroupingKey, text: string): Promise<void> {
  const headers = { "content-type": "text/plain; version=0.0.4" };
  const request = { method: "PUT", headers, body: new TextEncoder().encode(text) } as const;
  await ask(base, `metrics/${groupPath(key)}`, request);
}

/** The metrics of every group. Source: pushgateway api/v1/api.go. */
const listing = v.object({
  status: v.literal("success"),
  data: v.array(v.looseObject({ labels: v.record(v.string(), v.string()) })),
});
const family = v.object({ metrics: v.array(v.object({ value: v.string() })) });

/**
 * The value that a group was last put with for a metric without labels of its own; undefined when it has none.
 *
 * Found by the group's own labels: the text format shows more of them (an empty `instance`) than were put.
 * Errors: PushgatewayError, also for an answer that is none of a Pushgateway.
 */
export async function readGroupGauge(
  base: string,
  key: GroupingKey,
  name: string,
): Promise<number | undefined> {
  const { body } = await ask(base, "api/v1/metrics", {});
  const answer = v.safeParse(listing, parseJson(new TextDecoder().decode(body)));
  if (!answer.success) throw new PushgatewayError(`${nameOf(base)} gave no list of its metrics`);
  const group = answer.output.data.find(({ labels }) => isGroup(key, labels));
  if (group?.[name] === undefined) return undefined;
  const metric = v.safeParse(family, group[name]);
  const value = Number(metric.success ? metric.output.metrics[0]?.value : undefined);
  if (!Number.isFinite(value)) throw new PushgatewayError(`${nameOf(base)} has no readable ${name}`);
  return value;
}

function isGroup(key: GroupingKey, labels: Readonly<Record<string, string>>): boolean {
  return key.length === Object.keys(labels).length && key.every(([label, value]) => labels[label] === value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Path of a group below `/metrics/`. A value with a slash cannot stand in a path as it is, even escaped.
 *
 * Source: Pushgateway README, "URL".
 */
export function groupPath(key: GroupingKey): string {
  return key.map(([label, value]) => segment(label, value)).join("/");
}

function segment(label: string, value: string): string {
  if (value === "") return `${label}@base64/=`;
  if (value.includes("/")) return `${label}@base64/${Buffer.from(value).toString("base64url")}`;
  return `${label}/${encodeURIComponent(value)}`;
}

async function ask(base: string, path: string, request: Request): Promise<Answer> {
  const send = createRetryingSend({
    tries: 3,
    pauseSeconds: 0.25,
    retryAfterLimitSeconds: 10,
    onRequest: () => {},
  });
  const { url, account } = splitAccount(base);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/${path}`;
  const attempt = await send(url.href, { ...request, ...(account && { account }) });
  if (attempt.state !== "answered")
    throw new PushgatewayError(`${nameOf(base)} cannot be reached: ${attempt.reason}`);
  const { status, body } = attempt.answer;
  if (status === 200 || status === 202) return attempt.answer;
  const text = new TextDecoder().decode(body).trim().slice(0, 300);
  throw new PushgatewayError(`${nameOf(base)} answered ${status}${text === "" ? "" : `: ${text}`}`);
}

function nameOf(base: string): string {
  return `the Pushgateway ${new URL(base).origin}`;
}
