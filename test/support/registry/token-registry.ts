import type { IncomingMessage, ServerResponse } from "node:http";
import type { Content } from "../images/oci-content.ts";
import { account, fakeRegistry, json } from "./fake-registry.ts";

interface Options {
  /** Address of the token server, given that of the registry, which has one itself. */
  readonly realmOf?: (url: string) => string;
  /** Requests that each token is good for. */
  readonly uses?: number;
  /** May answer a request for a token in the server's place; any other value than true leaves it to the server. */
  readonly refuse?: (response: ServerResponse) => boolean;
}

/**
 * A registry that wants tokens, each good for one scope. `issued` are service and scope of all that were given; `expire`
 * makes all of them worthless.
 */
export async function tokenRegistry(images: Readonly<Record<string, Content>>, options: Options = {}) {
  const { realmOf = (url) => `${url}/token`, uses = Number.POSITIVE_INFINITY, refuse } = options;
  const issued: string[] = [];
  const left = new Map<string, number>();
  const basic = `Basic ${Buffer.from(`${account.user}:${account.password}`).toString("base64")}`;
  const giveToken = (url: URL, { headers }: IncomingMessage, response: ServerResponse) => {
    const scope = url.searchParams.get("scope") ?? "";
    if (refuse?.(response)) return;
    if (headers.authorization !== basic) return json(response, {}, 401);
    issued.push(`${url.searchParams.get("service")} ${scope}`);
    const token = `${scope}#${issued.length}`;
    left.set(token, uses);
    json(response, issued.length % 2 === 0 ? { access_token: token } : { token });
  };
  const registry = await fakeRegistry(images, (request, response) => {
    const url = new URL(request.url ?? "", `http://${request.headers.host}`);
    if (url.pathname === "/token") {
      giveToken(url, request, response);
      return true;
    }
    const scope = scopeOf(url);
    const token = request.headers.authorization?.replace(/^Bearer /, "") ?? "";
    const remaining = left.get(token) ?? 0;
    if (token.startsWith(`${scope}#`) && remaining > 0) {
      left.set(token, remaining - 1);
      // The rest of the fake knows Basic only.
      request.headers.authorization = basic;
      return undefined;
    }
    const challenge = `Bearer realm="${realmOf(url.origin)}",service="fake",scope="${scope}"`;
    response.writeHead(401, { "www-authenticate": challenge }).end();
    return true;
  });
  return { ...registry, issued, expire: () => left.clear() };
}

function scopeOf({ pathname }: URL): string {
  const [, repository] = /^\/v2\/(.+?)\/(?:tags|manifests|blobs)\//.exec(pathname) ?? [];
  return repository === undefined ? "registry:catalog:*" : `repository:${repository}:pull`;
}
