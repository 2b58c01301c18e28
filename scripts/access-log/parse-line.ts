import * as v from "valibot";
import { type AccessLogLine, accessLogHeadSchema } from "../../contract/access-log.ts";

/** One request that nginx answered. */
export interface LoggedRequest {
  /** When it ended, milliseconds since 1970. */
  readonly time: number;
  readonly method: string;
  /** Path and query, as the client sent them. */
  readonly uri: string;
  readonly status: number;
  /** Empty where the client named none. */
  readonly agent: string;
}

/** What a file says of its beginning. */
export interface LogHead {
  /** Milliseconds since 1970. */
  readonly begins: number;
  /** Name of the file before, without `.gz`; null: there was none. */
  readonly follows: string | null;
}

/** The request that a line of the log tells of; undefined for any other line. */
export function parseRequest(line: string): LoggedRequest | undefined {
  const document = parseJson(line);
  if (!isLine(document)) return undefined;
  const { time, method, uri, status, agent } = document;
  return { time: time * 1000, method, uri, status: Number(status), agent };
}

/** By hand: a schema takes longer than all else that is done with each of millions of lines. */
function isLine(document: unknown): document is AccessLogLine {
  if (typeof document !== "object" || document === null) return false;
  const { time, method, uri, status, agent } = document as Partial<Record<keyof AccessLogLine, unknown>>;
  return (
    typeof time === "number" &&
    time >= 0 &&
    typeof method === "string" &&
    typeof uri === "string" &&
    typeof status === "string" &&
    /^\d{3}$/.test(status) &&
    typeof agent === "string"
  );
}

export function parseHead(line: string): LogHead | undefined {
  const parsed = v.safeParse(accessLogHeadSchema, parseJson(line));
  if (!parsed.success) return undefined;
  return { begins: parsed.output.begins * 1000, follows: parsed.output.follows };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
