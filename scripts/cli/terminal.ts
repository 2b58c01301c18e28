import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

/** The world outside of a command: where it writes, and what is typed or piped into it. */
export interface Terminal {
  /** Results: the table, or the one JSON document. */
  readonly out: (text: string) => void;
  /** Faults, notes and progress. */
  readonly err: (text: string) => void;
  /** Whether a person watches `err`; progress is drawn only then. */
  readonly isInteractive: boolean;
  /** First line of standard input without its line end; empty when there is none. */
  readonly readLine: () => Promise<string>;
}

interface Streams {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable & { readonly isTTY?: boolean };
}

/** The terminal of a real process. */
export function processTerminal({ stdin, stdout, stderr }: Streams): Terminal {
  // A reader that stops early (`| head`) is no fault of ours; any other write error still is.
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    isInteractive: stderr.isTTY === true,
    readLine: () => firstLine(stdin),
  };
}

async function firstLine(input: Readable): Promise<string> {
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) {
    lines.close();
    // Otherwise an open pipe would keep the process alive after its work is done.
    input.destroy();
    return line;
  }
  return "";
}
