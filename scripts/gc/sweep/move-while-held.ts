import { describeError, ProgramError, systemCode } from "../../cli/errors.ts";
import { remark } from "../../mark/remark.ts";
import type { AnnouncedMoves } from "../../store-change/announced-moves.ts";
import type { Move } from "../../store-change/move-files.ts";
import { beginHold, isFreezeFault } from "../../write-freeze/begin-hold.ts";
import type { Refusal } from "../plan.ts";
import { giveBackTouched } from "./give-back-touched.ts";
import type { SweepOptions, SweepPlan } from "./sweep.ts";
import { type SweepList, type Swept, touchedThings, withNeeds } from "./sweep-list.ts";

interface Work extends SweepOptions {
  readonly list: SweepList;
  /** What stays in any case. */
  readonly touched: ReadonlySet<Swept>;
  readonly announced: AnnouncedMoves;
}

export interface Held {
  /** What stays beside that. */
  readonly stayed: ReadonlySet<Swept>;
  readonly refused: Refusal | null;
  readonly freezeSeconds: number | null;
  readonly freezeTries: number | null;
}

/** What of the budget is kept for reading the log once more and giving back. */
const reserveMs = 500;

/**
 * Moves, while writes are held, what nothing needs by then: what was pushed since the mark is marked again, and what
 * clients were told about meanwhile stays. When the budget of the freeze is over, the rest is left.
 *
 * Errors: those of the file system when what was moved cannot be put back after a fault.
 */
export async function moveWhileHeld(plans: readonly SweepPlan[], work: Work): Promise<Held> {
  const { hold, announced } = work;
  const stayed = new Set<Swept>();
  const { tries: freezeTries, fault } = await beginHold(work);
  if (fault) {
    const { reason, text } = refusalOf(fault);
    const hint = (freezeTries ?? 0) > 1 ? ` Tried ${freezeTries} times; run it again at a quieter time.` : "";
    return { stayed, refused: { reason, text: text + hint }, freezeSeconds: null, freezeTries };
  }
  let refused: Refusal | null = null;
  let freezeSeconds: number | null = null;
  try {
    await hold?.verify();
    const moves = await stillDead(plans, work, stayed);
    await announced.make(moves, mayGoOn(work));
    for (const swept of await giveBackTouched(work)) stayed.add(swept);
    await hold?.verify();
    if (moves.length > 0 && announced.made().size === 0 && work.interruption.signal() === undefined)
      refused = outOfTime;
  } catch (error) {
    await announced.giveBack(announced.made());
    refused = refusalOf(error);
  } finally {
    // Whatever went wrong: clients wait.
    freezeSeconds = (await hold?.end()) ?? null;
  }
  return { stayed, refused, freezeSeconds, freezeTries };
}

/** The moves of what is as dead as it was; all else is added to what stays. */
async function stillDead(
  plans: readonly SweepPlan[],
  work: Work,
  stayed: Set<Swept>,
): Promise<readonly Move[]> {
  const { list, touched, touches } = work;
  for (const { source, mark, dead } of plans) {
    const needed = await remark(source, mark, dead, work.mark);
    const own = [...needed.keys()].flatMap(({ path }) => list.get(path) ?? []);
    for (const swept of withNeeds(list, own)) stayed.add(swept);
  }
  for (const swept of touchedThings(list, await touches.meanwhile())) stayed.add(swept);
  const all = [...list.values()].filter((swept) => !touched.has(swept) && !stayed.has(swept));
  return all.map(({ move }) => move);
}

function mayGoOn({ hold, interruption }: Work): () => boolean {
  return () => interruption.signal() === undefined && (hold === null || hold.left().budgetMs > reserveMs);
}

const outOfTime: Refusal = {
  reason: "freeze",
  text: "Writes were let go on before anything was moved: what was pushed since the mark took too long to mark again. Run it again at a quieter time.",
};

/** Errors: what is neither the freeze's nor the file system's is a fault of this program. */
function refusalOf(error: unknown): Refusal {
  if (!(error instanceof ProgramError) && systemCode(error) === undefined) throw error;
  const text = `${describeError(error).replace(/\.$/, "")}. Nothing was removed: what was moved was put back.`;
  return { reason: isFreezeFault(error) ? "freeze" : "moving", text };
}
