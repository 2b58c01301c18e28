/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The text of whatever ended a run, for people. */
export function explain(error: unknown): string {
  const text = messageOf(error);
  if (!text.includes("pulumi version")) return text;
  return "The Pulumi CLI is not on this machine and could not be downloaded. Install the version that package.json pins, or run `npm run lab`, which finds or builds it.";
}
