import type { VerifiedImage } from "../../contract/verify-report.ts";
import type { Tally } from "../source/http/registry.ts";
import type { Target } from "./args.ts";
import type { Look } from "./verify-images.ts";

/** One round: the images that were looked at, and what was asked for it. */
export interface Round {
  readonly looks: readonly Look[];
  readonly tally: Tally;
}

interface Options {
  readonly waitSeconds: number;
  readonly look: (targets: readonly Target[]) => Promise<Round>;
  /** Told before each wait. */
  readonly onWait: (unwhole: readonly Look[], seconds: number) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

interface Outcome {
  readonly images: readonly VerifiedImage[];
  readonly requests: number;
}

const firstPauseSeconds = 0.5;
const longestPauseSeconds = 5;

/**
 * Looks at all images, and again at those that are not whole until they are or time is up: a push may end before the
 * registry has all of it. Who is refused is not asked again: too many wrong passwords lock an account.
 */
export async function lookUntilWhole(targets: readonly Target[], options: Options): Promise<Outcome> {
  const { waitSeconds, look, onWait, now, sleep } = options;
  const deadline = now() + waitSeconds * 1000;
  const images = new Map<Target, VerifiedImage>();
  let waiting = targets;
  let requests = 0;
  for (let round = 1; ; round += 1) {
    const { looks, tally } = await look(waiting);
    requests += tally.requests;
    for (const [at, target] of waiting.entries()) {
      const found = looks[at];
      if (found) images.set(target, { ...found, looks: round });
    }
    waiting = waiting.filter((target) => (images.get(target)?.findings.length ?? 0) > 0);
    const left = (deadline - now()) / 1000;
    const pause = Math.min(firstPauseSeconds * 2 ** (round - 1), longestPauseSeconds, left);
    if (waiting.length === 0 || left <= 0 || tally.errors.unauthorised > 0)
      return { images: [...images.values()], requests };
    onWait(
      looks.filter(({ findings }) => findings.length > 0),
      pause,
    );
    await sleep(pause * 1000);
  }
}
