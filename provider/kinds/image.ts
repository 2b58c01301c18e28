import * as v from "valibot";
import { haveImage, imageId } from "../remote/images.ts";
import { changedNow, type ResourceKind, unknown } from "./kind.ts";

const present = "present";

const schema = v.strictObject({
  reference: v.pipe(v.string(), v.regex(/^[a-z0-9][\w./:@-]*$/, "must be an image reference")),
  found: v.optional(v.literal(present), present),
});

interface Inputs {
  reference: string;
  /** `present`, or which other image the reference names. */
  found: string;
}

/** An image of the host's Docker engine: see `Image` in resources.ts. */
export const image: ResourceKind<Inputs> = {
  schema,
  replaceOn: ["reference"],
  settings: [],

  async create(host, inputs) {
    const id = await haveImage(host, inputs.reference, "");
    return { id: inputs.reference, outputs: { ...inputs, imageId: id, ...changedNow() } };
  },

  async read(host, id, { outputs = {} }) {
    const current = await imageId(host, id);
    if (current === undefined) return undefined;
    const known = outputs.imageId ?? current;
    const found = current === known ? present : `another image (${current}, was ${known})`;
    const inputs = { reference: id, found };
    return { inputs, outputs: { ...outputs, ...inputs, imageId: known } };
  },

  async update(host, id, old, inputs) {
    const known = String(old.outputs.imageId ?? "");
    return { ...inputs, imageId: await haveImage(host, id, known), ...changedNow() };
  },

  missing: (reference) => ({ reference, found: "not on the host" }),
  preview: (inputs) => ({ ...inputs, imageId: unknown, changedAt: unknown }),

  // It stays: other containers of the host may be made from it, and `docker image prune` removes what none is.
  async remove() {
    return undefined;
  },
};
