import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { describeError, ProgramError } from "../cli/errors.ts";
import type { Effects } from "./effects.ts";

/**
 * The undo journal: JSON lines, each on the disk before what it tells of is done. Paths are relative to the directory
 * that was repaired, because that may be mounted elsewhere when it is taken back.
 *
 *   journal.jsonl   the lines
 *   kept/N          what lay in the place of what was written; N counts them
 *   staged/N        what is being made; of no use after the run
 *   undone/N        what an undo took out of the store again
 */
export const journalSchema = "regwarden/repair-journal/v1";
export const journalFile = "journal.jsonl";

const text = v.pipe(v.string(), v.nonEmpty());
const entrySchema = v.variant("did", [
  v.strictObject({ did: v.literal("begin"), schema: v.literal(journalSchema), at: text }),
  /** A directory is about to be made. */
  v.strictObject({ did: v.literal("directory"), path: text }),
  /** A file is about to be written; `kept` holds what it replaces. */
  v.strictObject({ did: v.literal("file"), path: text, digest: text, kept: v.nullable(text) }),
  /** The file of the line before was not written after all: somebody else had just done so. */
  v.strictObject({ did: v.literal("nothing"), path: text }),
  v.strictObject({ did: v.literal("end"), at: text }),
  v.strictObject({ did: v.literal("undo"), at: text }),
]);

/** Longer than the first line can be. */
const journalHeadBytes = 200;

export type JournalEntry = v.InferOutput<typeof entrySchema>;

export interface Journal {
  /** Keeps its promise when the entry lasts. */
  readonly record: (entry: JournalEntry) => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function openJournal(effects: Effects, directory: string): Promise<Journal> {
  const sink = await effects.openJournal(join(directory, journalFile));
  return {
    record: (entry) => sink.write(Buffer.from(`${JSON.stringify(entry)}\n`)),
    close: () => sink.finish(),
  };
}

/**
 * The entries of a journal, in their order. A last line that was cut off tells of nothing that was done.
 *
 * Errors: E_CONFIGURATION when it is no journal, or is damaged anywhere else.
 */
export async function readJournal(directory: string): Promise<readonly JournalEntry[]> {
  const path = join(directory, journalFile);
  const content = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new ProgramError("E_CONFIGURATION", `Cannot read the journal ${path}: ${describeError(cause)}.`, {
      cause,
    });
  });
  const lines = content.split("\n").slice(0, -1);
  const entries = lines.map((line, index) => {
    const parsed = v.safeParse(entrySchema, parseLine(line));
    if (parsed.success) return parsed.output;
    throw new ProgramError(
      "E_CONFIGURATION",
      `${path}:${index + 1} is no line of a repair journal; nothing was changed.`,
    );
  });
  // A run that ended before its first line has done nothing.
  if (entries.length === 0 && content.length < journalHeadBytes) return entries;
  if (entries[0]?.did !== "begin") throw new ProgramError("E_CONFIGURATION", `${path} is no repair journal.`);
  return entries;
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
