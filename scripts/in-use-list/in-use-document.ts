import * as v from "valibot";
import { inUseReportSchema } from "../../contract/in-use-report.ts";
import { type Digest, parseDigest } from "../registry/digest.ts";

const digestText = v.pipe(
  v.string(),
  v.check((text) => parseDigest(text) !== undefined, "is not a digest"),
  v.transform((text) => text as Digest),
);

/** What is read of the document; a later program may have added to it. */
const schema = v.object({
  schema: v.literal(inUseReportSchema, `is not ${inUseReportSchema}`),
  finishedAt: v.pipe(
    v.string(),
    v.check((text) => !Number.isNaN(Date.parse(text)), "is not a time"),
    v.transform((text) => Date.parse(text)),
  ),
  durationSeconds: v.pipe(v.number(), v.finite(), v.minValue(0)),
  complete: v.boolean(),
  registries: v.array(v.object({ name: v.string(), complete: v.boolean() })),
  images: v.array(
    v.object({
      registry: v.string(),
      repository: v.string(),
      tag: v.nullable(v.string()),
      digest: v.nullable(digestText),
      digests: v.array(digestText),
    }),
  ),
});

export type InUseDocument = v.InferOutput<typeof schema>;

/** The document that a text spells, or why it is none: half a sentence. */
export function parseInUseDocument(text: string): InUseDocument | { readonly fault: string } {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return { fault: "is not JSON" };
  }
  const parsed = v.safeParse(schema, document);
  if (parsed.success) return parsed.output;
  const [{ message, path = [] }] = parsed.issues;
  const key = path.map(({ key }) => String(key)).join(".");
  return { fault: `is no document of in-use --json: ${key === "" ? message : `${key}: ${message}`}` };
}
