import * as v from "valibot";
import { pushJobs } from "../../contract/cluster-names.ts";
import { ReportError, request } from "./http.ts";
import { type DriftRecord, exposition } from "./record.ts";

const job = pushJobs.drift;
const what = "the Pushgateway";

const family = v.object({ metrics: v.array(v.object({ value: v.string() })) });

/** A group of the gateway's own listing. Source: pushgateway api/v1/api.go. */
const listing = v.object({
  status: v.literal("success"),
  data: v.array(v.looseObject({ labels: v.record(v.string(), v.string()) })),
});

/**
 * When the drift that the last run reported was first seen: Unix seconds, 0 when it reported none or never ran.
 *
 * Asked by grouping labels: the text format shows more labels (an empty `instance`) than were pushed.
 * Errors: ReportError when the gateway cannot be asked; the caller then must not push, or the time is lost.
 */
export async function readFirstSeen(gateway: URL, stack: string): Promise<number> {
  const response = await request(what, below(gateway, "api/v1/metrics"), {});
  const answer = v.safeParse(listing, await response.json().catch(() => undefined));
  if (!answer.success) throw new ReportError(`${what} gave no list of its metrics`);
  const group = answer.output.data.find(({ labels }) => isGroupOf(stack, labels));
  if (group?.drift_stack_first_seen === undefined) return 0;
  const metric = v.safeParse(family, group.drift_stack_first_seen);
  const seconds = Number(metric.success ? metric.output.metrics[0]?.value : undefined);
  if (!Number.isFinite(seconds)) throw new ReportError(`${what} has no readable drift_stack_first_seen`);
  return seconds;
}

function isGroupOf(stack: string, labels: Readonly<Record<string, string>>): boolean {
  return labels.job === job && labels.stack === stack && Object.keys(labels).length === 2;
}

/** Replaces the stack's whole group, so that nothing of an earlier run stays. Errors: ReportError. */
export async function pushRecord(gateway: URL, stack: string, record: DriftRecord): Promise<void> {
  const url = below(gateway, `metrics/job/${job}/${label("stack", stack)}`);
  await request(what, url, {
    method: "PUT",
    headers: { "content-type": "text/plain; version=0.0.4" },
    body: exposition(record),
  });
}

/** A value with a slash, as of a stack ORGANISATION/PROJECT/NAME, goes as base64. Source: pushgateway README, URL. */
function label(name: string, value: string): string {
  return value.includes("/")
    ? `${name}@base64/${Buffer.from(value).toString("base64url")}`
    : `${name}/${encodeURIComponent(value)}`;
}

function below(base: URL, path: string): URL {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/${path}`;
  return url;
}
