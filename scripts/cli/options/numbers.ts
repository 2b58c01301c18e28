import * as v from "valibot";
import { defaultTimeoutSeconds } from "../../http/exchange.ts";

/** Schema of a whole number. `name`: of the option or variable; `what`: of the number, for the message. */
function wholeNumber(
  name: string,
  { from, to, standard, what = "" }: { from: number; to: number; standard: number; what?: string },
) {
  const message = `${name} must be a whole number${what} from ${from} to ${to}.`;
  return v.pipe(
    v.optional(v.string(), String(standard)),
    v.regex(/^\d{1,9}$/, message),
    v.transform(Number),
    v.minValue(from, message),
    v.maxValue(to, message),
  );
}

/** Schema of a number of seconds. */
export function seconds(name: string, limits: { from: number; to: number; standard: number }) {
  return wholeNumber(name, { ...limits, what: " of seconds" });
}

/** Schema of the requests in flight. */
export function concurrency(name: string) {
  return wholeNumber(name, { from: 1, to: 999, standard: 16 });
}

/** Schema of how long a registry may be silent. */
export function timeoutSeconds(name: string) {
  return seconds(name, { from: 1, to: 600, standard: defaultTimeoutSeconds });
}
