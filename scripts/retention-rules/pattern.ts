/** Whether a text is what a pattern describes, as a whole. */
export type Matcher = (text: string) => boolean;

/**
 * Of names with slashes: `*` is any text without a slash, `**` any text, `?` any character but a slash. As with Git,
 * `ci/**` is all below `ci/` and not `ci` itself, and a part that is `**` may be missing: `a/**` and `/b` is `a/b` too.
 */
export function pathMatcher(patterns: readonly string[]): Matcher {
  return matcherOf(patterns, (pattern) =>
    pattern.replaceAll(/(?<=^|\/)\*\*\/|\*+|\?|[^*?]+/g, (part) => {
      if (part === "**/") return "(?:.*/)?";
      if (part.startsWith("**")) return ".*";
      if (part === "*") return "[^/]*";
      return part === "?" ? "[^/]" : quote(part);
    }),
  );
}

/** Of names without: `*` is any text, `?` any character. */
export function nameMatcher(patterns: readonly string[]): Matcher {
  return matcherOf(patterns, (pattern) =>
    pattern.replaceAll(/\*+|\?|[^*?]+/g, (part) => {
      if (part.startsWith("*")) return ".*";
      return part === "?" ? "." : quote(part);
    }),
  );
}

function matcherOf(patterns: readonly string[], toExpression: (pattern: string) => string): Matcher {
  const expressions = patterns.map((pattern) => new RegExp(`^${toExpression(pattern)}$`, "s"));
  return (text) => expressions.some((expression) => expression.test(text));
}

function quote(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}
