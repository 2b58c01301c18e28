/** What a server that answers 401 wants to be shown. */
export type Challenge =
  | { readonly scheme: "basic" }
  | {
      readonly scheme: "bearer";
      readonly realm: string;
      readonly service: string | undefined;
      readonly scope: string | undefined;
    };

const challengePattern =
  /(?<=^|[\s,])(basic|bearer)(?:\s+((?:[\w-]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s",]+)(?:\s*,\s*|\s*$|\s+))*)|\s*$)/gi;
const parameterPattern = /([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/g;

/**
 * The challenge of a WWW-Authenticate header that can be met; of several, the token, which serves one repository only.
 *
 * Source: RFC 9110, "WWW-Authenticate"; distribution docs, "Token Authentication Specification".
 */
export function parseChallenge(header: string | null): Challenge | undefined {
  const found = [...(header ?? "").matchAll(challengePattern)].map(([, scheme = "", parameters = ""]) =>
    toChallenge(scheme.toLowerCase(), parameters),
  );
  return found.find((challenge) => challenge?.scheme === "bearer") ?? found.find(Boolean);
}

function toChallenge(scheme: string, text: string): Challenge | undefined {
  if (scheme === "basic") return { scheme };
  const parameters = new Map(
    [...text.matchAll(parameterPattern)].map(([, name = "", quoted, plain]) => [
      name.toLowerCase(),
      quoted?.replaceAll(/\\(.)/g, "$1") ?? plain ?? "",
    ]),
  );
  const realm = parameters.get("realm");
  if (realm === undefined) return undefined;
  return { scheme: "bearer", realm, service: parameters.get("service"), scope: parameters.get("scope") };
}
