import * as v from "valibot";

/**
 * The rules of retention, as the configuration takes them and as `retain --rules` and `gc --rules` read them from a file.
 * The first rule one of whose patterns matches a repository decides about it. A repository without a rule is kept
 * complete.
 */

/** What a value must be, in words, with one that would do; config/ prints both with a fault. */
function described<Schema extends v.GenericSchema>(rule: string, example: string, schema: Schema) {
  return v.pipe(
    schema,
    v.metadata<v.InferOutput<Schema>, { rule: string; example: string }>({ rule, example }),
  );
}

const unitMs: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/** Milliseconds of a text like 90m, 36h, 30d or 4w; undefined for any other. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit = ""] = /^([1-9]\d{0,4})([mhdw])$/.exec(text) ?? [];
  const factor = unitMs[unit];
  return count === undefined || factor === undefined ? undefined : Number(count) * factor;
}

const duration = described(
  "a whole number of minutes, hours, days or weeks: m, h, d or w behind it",
  "30d",
  v.pipe(
    v.string(),
    v.check((text) => parseDuration(text) !== undefined, "is no time like 36h or 30d"),
  ),
);

const count = described(
  "a whole number from 1 to 100000",
  "10",
  v.pipe(
    v.number("is no number"),
    v.integer("is no whole number"),
    v.minValue(1, "is less than 1"),
    v.maxValue(100_000, "is more than 100000"),
  ),
);

const repositoryPattern = described(
  "a pattern of repositories: * stands for any text without a slash, ** for any text, ? for one character",
  "ci/**",
  v.pipe(v.string(), v.regex(/^[a-z0-9._/*?-]{1,255}$/, "is no pattern of repositories, like ci/**")),
);

const tagPattern = described(
  "a pattern of tags: * stands for any text, ? for one character",
  "v*",
  v.pipe(v.string(), v.regex(/^[\w.*?-]{1,128}$/, "is no pattern of tags, like v*")),
);

const agentPattern = described(
  "a pattern of User-Agents, for the whole of one: * stands for any text",
  "trivy/*",
  v.pipe(v.string(), v.regex(/^[\x20-\x7e]{1,255}$/, "is no pattern of User-Agents, like trivy/*")),
);

const list = <Item extends v.GenericSchema>(item: Item, rule: string) =>
  v.pipe(
    v.array(item),
    v.minLength(1, "is empty"),
    v.metadata<v.InferOutput<Item>[], { rule: string }>({ rule }),
  );

const tagPatterns = list(tagPattern, "a list of patterns of tags");

const conditionEntries = {
  /** The newest tags of the repository, by the time of their last push. */
  newest: v.optional(count),
  /** The newest of the tags that match. */
  newestOf: v.optional(
    list(v.strictObject({ tags: tagPatterns, count }), "a list of tags with a count for each"),
  ),
  pushedWithin: v.optional(duration),
  /** By the access log, without the agents that are ignored. */
  pulledWithin: v.optional(duration),
  tags: v.optional(tagPatterns),
  /** Only `true` means something. */
  inUse: v.optional(described("true", "true", v.literal(true, "can only be true"))),
};

const noMember = "names nothing to keep, so it would drop every tag";

const keepRule = "an object that names at least one thing to keep";
const conditions = described(
  keepRule,
  '{"newest": 10}',
  v.pipe(
    v.strictObject(conditionEntries),
    v.check((given) => Object.keys(given).length > 0, noMember),
  ),
);

const keep = described(
  keepRule,
  '{"newest": 10}',
  v.pipe(
    v.strictObject({
      ...conditionEntries,
      all: v.optional(list(conditions, "a list of conditions, all of which must hold")),
    }),
    v.check((given) => Object.keys(given).length > 0, noMember),
  ),
);

const overwritten = described(
  "an object with keep, within or both",
  '{"keep": 3, "within": "7d"}',
  v.pipe(
    v.strictObject({
      /** The last so many digests of each tag. */
      keep: v.optional(count),
      /** Those that were overwritten since. */
      within: v.optional(duration),
    }),
    v.check((given) => Object.keys(given).length > 0, "needs keep, within or both"),
  ),
);

const flag = (rule: string) => v.optional(described(rule, "true", v.boolean("is neither true nor false")));

const rule = v.strictObject({
  repositories: list(repositoryPattern, "a list of patterns of repositories"),
  /** A tag stays when one of these holds; what stands in `all` holds when each of its members does. */
  keep,
  /** Digests that a tag pointed to before: the collection keeps them. With both, both must hold. */
  overwritten: v.optional(overwritten),
  /** Whether the last tag of a repository may go as well. Else the newest stays. */
  mayEmpty: flag("true or false: whether the last tag of a repository may go as well"),
  /** For a repository most of whose tags were pushed in one minute, which else is taken for a copy. */
  trustPushTimes: flag("true or false: whether many tags of one minute were pushed, not copied"),
});

/** `Authorization` apart, this is all that our own requests say of themselves: they pull every tag. */
export const ownAgents = ["regwarden", "regwarden/*"] as const;

export const retentionRuleEntries = {
  rules: v.optional(v.array(rule), []),
  /** Beside our own programs, which are always ignored. */
  ignoreAgents: v.optional(
    v.pipe(
      v.array(agentPattern),
      v.metadata<string[], { rule: string }>({ rule: "a list of patterns of User-Agents" }),
    ),
    [],
  ),
};

export const retentionRulesSchema = v.strictObject(retentionRuleEntries);

export type RetentionRules = v.InferOutput<typeof retentionRulesSchema>;
export type RetentionRule = v.InferOutput<typeof rule>;
export type OverwrittenRule = v.InferOutput<typeof overwritten>;
