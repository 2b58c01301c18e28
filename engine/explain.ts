import { messageOf } from "../provider/errors.ts";

/** The text of whatever ended a run, for people. */
export function explain(error: unknown): string {
  const text = messageOf(error);
  if (!text.includes("pulumi version")) return text;
  return "The Pulumi CLI is not on this machine and could not be downloaded. Install the version that package.json pins, or run `npm run lab`, which finds or builds it.";
}
