import * as v from "valibot";
import { urlsOf } from "../../../lab/cluster/endpoints.ts";
import { waitUntil } from "../../../lab/machine/wait.ts";
import { instance } from "./stack.ts";

const sample = v.object({
  metric: v.record(v.string(), v.string()),
  value: v.tuple([v.number(), v.string()]),
});
const queryAnswer = v.object({ data: v.object({ result: v.array(sample) }) });
const alertsAnswer = v.object({
  data: v.object({
    alerts: v.array(v.object({ labels: v.record(v.string(), v.string()), state: v.string() })),
  }),
});
const rulesAnswer = v.object({
  data: v.object({ groups: v.array(v.object({ lastEvaluation: v.string() })) }),
});

async function ask(path: string): Promise<unknown> {
  const url = `${urlsOf(instance).prometheus}/api/v1/${path}`;
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return response.json();
}

/** What the lab's Prometheus answers to a query: values by label `label`, or the only value under "". */
export async function query(expression: string, label = ""): Promise<Record<string, number>> {
  const answer = v.parse(queryAnswer, await ask(`query?query=${encodeURIComponent(expression)}`));
  const values = answer.data.result.map(({ metric, value }) => [metric[label] ?? "", Number(value[1])]);
  return Object.fromEntries(values);
}

/** Waits until a query has an answer. */
export async function holds(expression: string, limitSeconds = 60): Promise<void> {
  await waitUntil(expression, limitSeconds, async () => Object.keys(await query(expression)).length > 0);
}

/**
 * Names of the alerts that fire, once every rule has been evaluated often enough for what Prometheus knows now: in one
 * evaluation an alert begins to wait, in the next it fires.
 */
export async function firing(): Promise<string[]> {
  const start = Date.now();
  const twoEvaluations = 10_500;
  await waitUntil("two evaluations of the rules", 60, async () => {
    const { groups } = v.parse(rulesAnswer, await ask("rules")).data;
    return groups.every(({ lastEvaluation }) => Date.parse(lastEvaluation) > start + twoEvaluations);
  });
  const { alerts } = v.parse(alertsAnswer, await ask("alerts")).data;
  const names = alerts.filter(({ state }) => state === "firing").map(({ labels }) => labels.alertname ?? "");
  return [...new Set(names)].sort();
}
