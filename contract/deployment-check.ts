import * as v from "valibot";

/**
 * The file that `check-deployment` and `seed-sentinel` read: the VM's components render it, the programs parse it with
 * this schema. It holds no secret; the account's password comes on standard input.
 */
const text = v.pipe(v.string("must be a text"), v.nonEmpty("must not be empty"));

function isWebAddress(given: string): boolean {
  const url = URL.parse(given);
  return (
    (url?.protocol === "http:" || url?.protocol === "https:") && url.username === "" && url.password === ""
  );
}

const webAddress = v.pipe(
  text,
  v.check(isWebAddress, "must be an http or https address without an account in it"),
);

const registryAddress = v.pipe(
  webAddress,
  v.check((given) => {
    const url = URL.parse(given);
    return url === null || `${url.pathname}${url.search}${url.hash}` === "/";
  }, "must be like https://registry.example:5050, without a path"),
  v.transform((given) => URL.parse(given)?.origin ?? given),
);

export const deploymentCheckSchema = v.strictObject({
  /** The authoritative registry, as its clients reach it. */
  private: v.strictObject({
    url: registryAddress,
    user: v.pipe(
      text,
      v.check((user) => !user.includes(":"), "must not contain a colon"),
    ),
    sentinel: v.strictObject({ repository: text, tag: text }),
  }),
  /** `isRestricted`: it answers certain networks only, and this host may be in none of them. */
  caches: v.array(
    v.strictObject({ name: text, url: registryAddress, isRestricted: v.optional(v.boolean()) }),
  ),
  scanReport: v.strictObject({
    path: text,
    maximumAgeSeconds: v.pipe(
      v.number("must be a number"),
      v.integer("must be whole"),
      v.minValue(1, "must be at least 1"),
    ),
  }),
  /** File with a listing of the host's scheduled jobs: see `harmfulJobs`. */
  jobs: text,
  ui: v.optional(v.strictObject({ url: webAddress })),
});

/** What is deployed, and therefore has to answer. */
export type DeploymentCheckConfig = v.InferOutput<typeof deploymentCheckSchema>;
