import { readdirSync, readFileSync } from "node:fs";

const pauseMilliseconds = 25;

/** The arguments of every process of this machine, collected for as long as it watches. */
export class CommandLines {
  readonly #seen = new Set<string>();
  readonly #timer = setInterval(() => this.#collect(), pauseMilliseconds);

  /** Every command line seen, its arguments parted by spaces. */
  get seen(): readonly string[] {
    return [...this.#seen];
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #collect(): void {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        this.#seen.add(readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "));
      } catch {
        // It has ended meanwhile.
      }
    }
  }
}
