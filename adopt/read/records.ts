/** Output of the reading scripts: fields that end with NUL, since a path or a line may hold anything else. */

/** The fields, `width` of them a record. Errors: throws when the last record is not complete. */
export function recordsOf(output: Buffer, width: number): string[][] {
  const fields = output.toString("utf8").split("\0");
  if (fields.pop() !== "" || fields.length % width !== 0)
    throw new Error(`the listing was cut off: ${fields.length} fields, which are no records of ${width}`);
  return Array.from({ length: fields.length / width }, (_, at) => fields.slice(at * width, (at + 1) * width));
}

/** Records `KEY VALUE` as a map. */
export function pairsOf(output: Buffer): Map<string, string> {
  return new Map(recordsOf(output, 2).map(([key = "", value = ""]) => [key, value] as const));
}
