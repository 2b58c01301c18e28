import { benchDrift } from "./drift.ts";
import { benchProbe } from "./probe.ts";
import { benchVerify } from "./verify.ts";

const benches: Readonly<Record<string, () => Promise<string>>> = {
  drift: benchDrift,
  probe: benchProbe,
  verify: benchVerify,
};

const [name = "", ...rest] = process.argv.slice(2);
const bench = benches[name];
if (!bench || rest.length > 0) {
  process.stderr.write(`Usage: npm run bench -- ${Object.keys(benches).join("|")}\n`);
  process.exitCode = 2;
} else {
  process.stdout.write(await bench());
}
