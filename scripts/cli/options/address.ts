import * as v from "valibot";

/** An http or https address without an account, query or fragment in it; undefined for any other text. */
export function parsePlainAddress(given: string): URL | undefined {
  const url = URL.parse(given);
  if (url?.protocol !== "https:" && url?.protocol !== "http:") return undefined;
  return url.username === "" && url.password === "" && url.search === "" && url.hash === "" ? url : undefined;
}

/** The same, without a path either: scheme, host and port of a registry. */
export function parseOrigin(given: string): URL | undefined {
  const url = parsePlainAddress(given);
  return url?.pathname === "/" ? url : undefined;
}

/** Schema of the address of a Pushgateway, without a slash at its end. `name`: of the option or variable. */
export function pushgatewayAddress(name: string) {
  return v.optional(
    v.pipe(
      v.string(),
      v.check(
        (given) => parsePlainAddress(given) !== undefined,
        `${name} must be an http or https address without an account in it.`,
      ),
      v.transform((given) => given.replace(/\/+$/, "")),
    ),
  );
}
