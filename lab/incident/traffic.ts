import { messageOf } from "../machine/errors.ts";
import type { ClientResult } from "./client-view.ts";

/** How often something was done, and the reasons of those that failed. */
export interface Turns {
  readonly done: number;
  readonly failures: readonly string[];
}

/** Clients that go on until they are stopped. */
export interface Traffic {
  /** Ends them after what each does at the moment. */
  readonly stop: () => Promise<{ readonly pushes: Turns; readonly pulls: Turns }>;
}

/** One turn of a client; `turn` counts from 0. */
type Turn = (turn: number) => Promise<ClientResult>;

async function failureOf(work: Promise<ClientResult>): Promise<string | undefined> {
  try {
    const { worked, text } = await work;
    return worked ? undefined : text;
  } catch (error) {
    return messageOf(error);
  }
}

/** Pushes in two loops, and pulls in two others. */
export function startTraffic(push: Turn, pull: Turn): Traffic {
  let isStopped = false;
  const loops = async (work: Turn): Promise<Turns> => {
    const failures: string[] = [];
    let begun = 0;
    const loop = async () => {
      while (!isStopped) {
        begun += 1;
        const failure = await failureOf(work(begun - 1));
        if (failure !== undefined) failures.push(failure);
      }
    };
    await Promise.all([loop(), loop()]);
    return { done: begun, failures };
  };
  const all = Promise.all([loops(push), loops(pull)]);
  return {
    stop: async () => {
      isStopped = true;
      const [pushes, pulls] = await all;
      return { pushes, pulls };
    },
  };
}
