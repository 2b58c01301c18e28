import type { ReportTargets } from "../args.ts";
import { ReportError, request } from "./http.ts";
import { driftMessage } from "./message.ts";
import { pushRecord, readFirstSeen } from "./pushgateway.ts";
import { type DriftLook, driftRecord } from "./record.ts";

/** Exit code of the engine for changes where none were expected, and ours for drift. */
export const driftCode = 7;

export interface DriftReport extends ReportTargets {
  readonly stack: string;
  readonly look: DriftLook;
  readonly runUrl: string | undefined;
  readonly nowSeconds: number;
  readonly warn: (text: string) => void;
}

/**
 * Tells the Pushgateway and the webhook what the run saw, and gives the exit code.
 *
 * A report that does not arrive makes a clean run fail; drift keeps its own code, which says more.
 */
export async function reportDrift(report: DriftReport): Promise<number> {
  let hasArrived = true;
  const orWarn = (error: unknown): undefined => {
    hasArrived = false;
    if (!(error instanceof ReportError)) throw error;
    report.warn(`The drift run could not report: ${error.message}.\n`);
  };
  const firstSeen = await push(report).catch(orWarn);
  await notify(report, firstSeen ?? 0).catch(orWarn);
  if (report.look.kind === "drift") return driftCode;
  return report.look.kind === "clean" && hasArrived ? 0 : 1;
}

/** Gives when the drift that stands was first seen, 0 where that is not known. */
async function push({ stack, look, pushgateway, nowSeconds }: DriftReport): Promise<number> {
  if (pushgateway === undefined) return 0;
  const record = driftRecord(look, await readFirstSeen(pushgateway, stack), nowSeconds);
  await pushRecord(pushgateway, stack, record);
  return record.drift_stack_first_seen ?? 0;
}

async function notify({ stack, look, notify: webhook, runUrl }: DriftReport, firstSeen: number) {
  const text = driftMessage(look, { stack, firstSeen, runUrl });
  if (webhook === undefined || text === undefined) return;
  const headers = { "content-type": "application/json" };
  await request("the webhook", webhook, { method: "POST", headers, body: JSON.stringify({ text }) });
}
