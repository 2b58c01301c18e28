import { setImmediate as turn } from "node:timers/promises";
import { announceMoves, type Move, type NotDone, syncDirectories, tryMove } from "./move-files.ts";
import { nameInJournal, type OpenRun } from "./run-directory.ts";

/**
 * Moves out of a store that are made while writes are held, so in as little time as can be: all words about them are
 * written before, and after.
 */
export interface AnnouncedMoves {
  /**
   * Makes some of them, in their order, as long as `mayGoOn` says so, which is asked every so often. What is not there any
   * more is left out.
   *
   * Errors: those of the file system; what was moved until then is in {@link AnnouncedMoves.made}.
   */
  readonly make: (some: readonly Move[], mayGoOn: () => boolean) => Promise<void>;
  /** Those that are made, and were not given back. */
  readonly made: () => ReadonlySet<Move>;
  /**
   * Moves back what was moved. What a push wrote in its place meanwhile stays; those are returned.
   *
   * Errors: those of the file system, after all others were given back.
   */
  readonly giveBack: (moves: Iterable<Move>) => Promise<readonly NotDone[]>;
  /** Writes to the disk what was moved, and to the journal what was given back. */
  readonly finish: () => Promise<void>;
}

/** Moves that are made between two readings of the clock. */
const batch = 256;

/** Errors: E_STORE_UNWRITABLE for a path outside of the stores; those of the file system. Nothing is moved yet. */
export async function announce(moves: readonly Move[], run: OpenRun): Promise<AnnouncedMoves> {
  await announceMoves(moves, run);
  const made = new Set<Move>();
  const tried: Move[] = [];
  const givenBack: Move[] = [];
  return {
    made: () => made,
    make: async (some, mayGoOn) => {
      // Between them the process does what else is due: renewing the lease by which writes are held.
      for (let at = 0; at < some.length && mayGoOn(); at += batch, await turn())
        for (const move of some.slice(at, at + batch)) {
          tried.push(move);
          if ((await tryMove(move, run)) === undefined) made.add(move);
        }
    },
    giveBack: async (given) => {
      const stayed: NotDone[] = [];
      const faults: unknown[] = [];
      for (const move of [...given]) {
        const reason = await tryMove({ from: move.to, to: move.from }, run).catch((fault: unknown) => {
          faults.push(fault);
          return "could not be given back";
        });
        if (reason === undefined) givenBack.push(move);
        else stayed.push({ path: move.from, reason });
        made.delete(move);
      }
      if (faults.length > 0) throw faults[0];
      return stayed;
    },
    finish: async () => {
      const paths = givenBack.splice(0).map(({ from }) => nameInJournal(from, run));
      if (paths.length > 0) await run.journal.record(paths.map((path) => ({ did: "nothing", path })));
      await syncDirectories(tried, run);
    },
  };
}
