import type { AnnouncedMoves } from "../../store-change/announced-moves.ts";
import { movedOf, type SweepList, type Swept, touchedThings } from "./sweep-list.ts";
import type { Touches } from "./touches.ts";

/** What has been moved of a list, and who was told about it meanwhile. */
interface Moved {
  readonly list: SweepList;
  readonly announced: AnnouncedMoves;
  readonly touches: Touches;
}

/** Puts back what clients were told about while it was moved, and returns that. */
export async function giveBackTouched({ list, announced, touches }: Moved): Promise<ReadonlySet<Swept>> {
  const lately = await touches.meanwhile();
  // Clients may wait: without a list there is nothing to look through.
  if (lately.size === 0) return new Set();
  const touched = touchedThings(movedOf(list, announced.made()), lately);
  await announced.giveBack([...touched].map(({ move }) => move));
  return new Set([...touched].flatMap(({ path }) => list.get(path) ?? []));
}
