import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { describeError, ProgramError } from "../cli/errors.ts";
import type { Effects } from "./effects.ts";

/**
 * The journal of one run: JSON lines, each on the disk before what it names is done. Paths are relative to the directory
 * that the program was given, because that may be mounted elsewhere when the run is undone.
 *
 *   journal.jsonl   the lines
 *   kept/N          what was replaced; N counts
 *   moved/N         files and directories that were moved out of the store
 *   staged/N        what is being made; of no use after the run
 *   undo-N/         a run of its own: the Nth undo of this one, which can be undone in its turn
 */
export const journalSchema = "regwarden/store-journal/v1";
export const journalFile = "journal.jsonl";

const text = v.pipe(v.string(), v.nonEmpty());
const count = v.number();

/** The size and the time by which a file that was written is known again. Null where an old journal does not say. */
const written = { sizeBytes: v.nullable(count), mtimeMs: v.nullable(count) };

const entrySchema = v.variant("did", [
  v.strictObject({ did: v.literal("begin"), schema: v.literal(journalSchema), at: text }),
  /** What the program wants to find again when the run is undone. */
  v.strictObject({ did: v.literal("note"), note: v.record(v.string(), v.unknown()) }),
  v.strictObject({ did: v.literal("made-directory"), path: text }),
  v.strictObject({ did: v.literal("removed-directory"), path: text, uid: count, gid: count, mode: count }),
  /** A file was written where none was. */
  v.strictObject({ did: v.literal("created"), path: text, digest: v.nullable(text), ...written }),
  /** A file was written over another, which `kept` holds. */
  v.strictObject({
    did: v.literal("replaced"),
    path: text,
    digest: v.nullable(text),
    kept: text,
    ...written,
  }),
  /** A file or a whole directory got another name: one of both lies in a store, the other in a run's directory. */
  v.strictObject({ did: v.literal("moved"), from: text, to: text }),
  /** The last entry about this path was not done after all. */
  v.strictObject({ did: v.literal("nothing"), path: text }),
  v.strictObject({ did: v.literal("end"), at: text }),
]);

export type JournalEntry = v.InferOutput<typeof entrySchema>;

/** Journals of the first form, which know no moves. */
const oldEntrySchema = v.variant("did", [
  v.strictObject({ did: v.literal("begin"), schema: v.literal("regwarden/repair-journal/v1"), at: text }),
  v.strictObject({ did: v.literal("directory"), path: text }),
  v.strictObject({ did: v.literal("file"), path: text, digest: text, kept: v.nullable(text) }),
  v.strictObject({ did: v.literal("undo"), at: text }),
]);

/** Longer than the first line can be. */
const journalHeadBytes = 200;

export interface Journal {
  /** Keeps its promise when the entries are on the disk: several cost no more than one. */
  readonly record: (entries: JournalEntry | readonly JournalEntry[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function openJournal(effects: Effects, directory: string): Promise<Journal> {
  const sink = await effects.openJournal(join(directory, journalFile));
  return {
    record: (given) => {
      const entries = [given].flat();
      return sink.write(Buffer.from(entries.map((entry) => `${JSON.stringify(entry)}\n`).join("")));
    },
    close: () => sink.finish(),
  };
}

/** What a journal says of its run. */
export interface RecordedRun {
  /** Where the journal lies. */
  readonly workDirectory: string;
  readonly entries: readonly JournalEntry[];
  /** Milliseconds since 1970. */
  readonly begunAt: number;
  /** When the last entry was written, by the clock of the file system. */
  readonly recordedAt: number;
  readonly isFinished: boolean;
}

/**
 * A run by its journal. A last line that was cut off names nothing that was done.
 *
 * Errors: E_CONFIGURATION when it is no journal, or is damaged anywhere else.
 */
export async function readRun(workDirectory: string): Promise<RecordedRun> {
  const path = join(workDirectory, journalFile);
  const { content, recordedAt } = await readJournal(path);
  const lines = content.split("\n").slice(0, -1);
  const entries = lines.map((line, index) => {
    const entry = parseLine(line);
    if (entry) return entry;
    throw new ProgramError(
      "E_CONFIGURATION",
      `${path}:${index + 1} is no line of a journal; nothing was changed.`,
    );
  });
  const [begin] = entries;
  // A run that ended before its first line has done nothing.
  if (begin?.did !== "begin" && (entries.length > 0 || content.length >= journalHeadBytes))
    throw new ProgramError("E_CONFIGURATION", `${path} is no journal of this program.`);
  const begunAt = begin?.did === "begin" ? Date.parse(begin.at) : recordedAt;
  const isFinished = entries.some(({ did }) => did === "end");
  return { workDirectory, entries, begunAt, recordedAt, isFinished };
}

async function readJournal(path: string): Promise<{ readonly content: string; readonly recordedAt: number }> {
  try {
    return { content: await readFile(path, "utf8"), recordedAt: (await stat(path)).mtimeMs };
  } catch (cause) {
    const message = `Cannot read the journal ${path}: ${describeError(cause)}.`;
    throw new ProgramError("E_CONFIGURATION", message, { cause });
  }
}

function parseLine(line: string): JournalEntry | undefined {
  const document = parseJson(line);
  if (isMove(document)) return document;
  const parsed = v.safeParse(entrySchema, document);
  if (parsed.success) return parsed.output;
  const old = v.safeParse(oldEntrySchema, document);
  return old.success ? modernize(old.output) : undefined;
}

/** Nearly all lines of a collection's journal, of which it has many thousands: a schema takes ten times as long. */
function isMove(document: unknown): document is JournalEntry & { readonly did: "moved" } {
  if (typeof document !== "object" || document === null) return false;
  const { did, from, to } = document as Partial<Record<string, unknown>>;
  if (did !== "moved" || typeof from !== "string" || typeof to !== "string") return false;
  return from !== "" && to !== "" && Object.keys(document).length === 3;
}

function modernize(entry: v.InferOutput<typeof oldEntrySchema>): JournalEntry {
  switch (entry.did) {
    case "begin":
      return { did: "begin", schema: journalSchema, at: entry.at };
    case "directory":
      return { did: "made-directory", path: entry.path };
    case "undo":
      return { did: "note", note: {} };
    case "file": {
      const { path, digest, kept } = entry;
      const unknown = { sizeBytes: null, mtimeMs: null };
      if (kept === null) return { did: "created", path, digest, ...unknown };
      return { did: "replaced", path, digest, kept, ...unknown };
    }
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
