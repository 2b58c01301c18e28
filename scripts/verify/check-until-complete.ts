import type { VerifiedImage } from "../../contract/verify-report.ts";
import type { Tally } from "../source/http/registry.ts";
import type { Target } from "./args.ts";
import type { ImageCheck } from "./verify-images.ts";

/** One round: the images that were checked, and what was asked for it. */
export interface Round {
  readonly checks: readonly ImageCheck[];
  readonly tally: Tally;
}

interface Options {
  readonly waitSeconds: number;
  readonly check: (targets: readonly Target[]) => Promise<Round>;
  /** Called before each wait. */
  readonly onWait: (incomplete: readonly ImageCheck[], seconds: number) => void;
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
 * Checks all images, and again those that are not complete until they are or time is up: a push may end before the
 * registry has all of it. A registry that refuses the account is not asked again: too many wrong passwords lock it.
 */
export async function checkUntilComplete(targets: readonly Target[], options: Options): Promise<Outcome> {
  const { waitSeconds, check, onWait, now, sleep } = options;
  const deadline = now() + waitSeconds * 1000;
  const images = new Map<Target, VerifiedImage>();
  let waiting = targets;
  let requests = 0;
  for (let round = 1; ; round += 1) {
    const { checks, tally } = await check(waiting);
    requests += tally.requests;
    for (const [at, target] of waiting.entries()) {
      const found = checks[at];
      if (found) images.set(target, { ...found, checks: round });
    }
    waiting = waiting.filter((target) => (images.get(target)?.findings.length ?? 0) > 0);
    const left = (deadline - now()) / 1000;
    const pause = Math.min(firstPauseSeconds * 2 ** (round - 1), longestPauseSeconds, left);
    if (waiting.length === 0 || left <= 0 || tally.errors.unauthorised > 0)
      return { images: [...images.values()], requests };
    onWait(
      checks.filter(({ findings }) => findings.length > 0),
      pause,
    );
    await sleep(pause * 1000);
  }
}
