import { createRetryingSend } from "../http/retry.ts";

/** Labels that a group is known by, in order; the first is `job`. */
export type GroupingKey = readonly (readonly [label: string, value: string])[];

/**
 * Path of a group. A value with a slash cannot stand in a path as it is, even escaped.
 *
 * Source: Pushgateway README, "URL".
 */
export function groupPath(key: GroupingKey): string {
  return `/metrics${key.map(([label, value]) => `/${segment(label, value)}`).join("")}`;
}

function segment(label: string, value: string): string {
  if (value === "") return `${label}@base64/=`;
  if (value.includes("/")) return `${label}@base64/${Buffer.from(value).toString("base64url")}`;
  return `${label}/${encodeURIComponent(value)}`;
}

/** Puts a whole group in the place of the former; says what went wrong, or nothing. */
export async function putGroup(base: string, key: GroupingKey, text: string): Promise<string | undefined> {
  const send = createRetryingSend({
    tries: 3,
    pauseSeconds: 0.25,
    retryAfterLimitSeconds: 10,
    onRequest: () => {},
  });
  const url = `${base}${groupPath(key)}`;
  const headers = { "content-type": "text/plain; version=0.0.4" };
  const attempt = await send(url, { method: "PUT", headers, body: new TextEncoder().encode(text) });
  if (attempt.state !== "answered") return `PUT ${url}: ${attempt.reason}`;
  const { status, body } = attempt.answer;
  if (status === 200 || status === 202) return undefined;
  return `PUT ${url} answers ${status}: ${new TextDecoder().decode(body).trim().slice(0, 300)}`;
}
