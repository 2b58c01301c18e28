import { benchDrift } from "./drift.ts";
import { benchFreeze } from "./freeze.ts";
import { benchGc } from "./gc.ts";
import { benchProbe } from "./probe.ts";
import { benchScan } from "./scan.ts";
import { benchVerify } from "./verify.ts";

interface Bench {
  readonly flags: readonly string[];
  readonly run: (flags: readonly string[]) => Promise<string>;
}

const benches: Readonly<Record<string, Bench>> = {
  drift: { flags: [], run: benchDrift },
  freeze: { flags: [], run: benchFreeze },
  gc: { flags: ["--large"], run: benchGc },
  probe: { flags: ["--catalogue"], run: benchProbe },
  scan: { flags: ["--large"], run: benchScan },
  verify: { flags: [], run: benchVerify },
};

const [name = "", ...rest] = process.argv.slice(2);
const bench = benches[name];
if (!bench?.run || !rest.every((flag) => bench.flags.includes(flag))) {
  const usages = Object.entries(benches).map(([key, { flags }]) => [key, ...flags.map((f) => `[${f}]`)]);
  process.stderr.write(`Usage: npm run bench -- ${usages.map((words) => words.join(" ")).join(" | ")}\n`);
  process.exitCode = 2;
} else {
  process.stdout.write(await bench.run(rest));
}
