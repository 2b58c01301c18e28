import * as v from "valibot";
import { urlsOf } from "../cluster/endpoints.ts";
import { LabError } from "../machine/errors.ts";
import type { Instance } from "../machine/instances.ts";
import { waitUntil } from "../machine/wait.ts";

const alert = v.looseObject({
  labels: v.record(v.string(), v.string()),
  annotations: v.optional(v.record(v.string(), v.string()), {}),
  state: v.string(),
});
const answer = v.object({ data: v.object({ alerts: v.array(alert) }) });

/** An alert as Prometheus lists it: `pending` or `firing`; one that is neither is not listed. */
export type Alert = v.InferOutput<typeof alert>;

/** Alerts of Prometheus with this name. */
export async function alertsNamed(instance: Instance, name: string): Promise<Alert[]> {
  const url = `${urlsOf(instance).prometheus}/api/v1/alerts`;
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new LabError("E_UNREACHABLE", `${url} answers ${response.status}`);
  const { alerts } = v.parse(answer, await response.json()).data;
  return alerts.filter(({ labels }) => labels.alertname === name);
}

/** Waits for an alert to fire. Returns it, or undefined when it does not in time. */
export async function alertFires(
  instance: Instance,
  name: string,
  limitSeconds: number,
): Promise<Alert | undefined> {
  let found: Alert | undefined;
  const fires = async () => {
    found = (await alertsNamed(instance, name)).find(({ state }) => state === "firing");
    return found !== undefined;
  };
  await waitUntil(`alert ${name}`, limitSeconds, fires, 1000).catch(() => undefined);
  return found;
}

/** Waits until an alert neither fires nor is pending. Returns whether that came in time. */
export async function alertResolves(
  instance: Instance,
  name: string,
  limitSeconds: number,
): Promise<boolean> {
  const isGone = async () => (await alertsNamed(instance, name)).length === 0;
  return waitUntil(`the end of alert ${name}`, limitSeconds, isGone, 1000).then(
    () => true,
    () => false,
  );
}
