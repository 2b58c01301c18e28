import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { accessLogFile } from "../../../contract/access-log.ts";
import { temporaryDirectory } from "../program.ts";

/** Some request of a client, unless told otherwise. Times are milliseconds since 1970. */
export interface Line {
  readonly time: number;
  readonly method?: string;
  readonly uri?: string;
  readonly status?: number;
  readonly agent?: string;
}

/** A line as nginx writes it. */
export function logLine({
  time,
  method = "GET",
  uri = "/v2/",
  status = 200,
  agent = "skopeo/1.9",
}: Line): string {
  const fields = { time: time / 1000, method, uri, status: String(status).padStart(3, "0"), agent };
  return `${JSON.stringify(fields)}\n`;
}

/** A head as the rotation writes it. */
export function logHead(begins: number, follows: string | null): string {
  return `${JSON.stringify({ begins: begins / 1000, follows })}\n`;
}

/** Writes files of a log, by their names' ends; returns the path of the present one. */
export async function writeLog(files: Readonly<Record<string, string>>, directory?: string): Promise<string> {
  const path = join(directory ?? (await temporaryDirectory()), accessLogFile);
  for (const [end, text] of Object.entries(files))
    await writeFile(`${path}${end}`, end.endsWith(".gz") ? gzipSync(text) : text);
  return path;
}
