import type { IncomingMessage, ServerResponse } from "node:http";
import { onTestFinished, vi } from "vitest";
import type { ProbeReport } from "../../../contract/probe-report.ts";
import { digestOf } from "../../../scripts/registry/digest.ts";
import type { Content } from "../images/oci-content.ts";
import { type Outcome, regwarden, withReport } from "../program.ts";
import { serve } from "../server/server.ts";
import { sendRange } from "./ranges.ts";

export const account = { user: "ci", password: "correct horse" };

/** Answers a request in the registry's place; any other value than true leaves it to the registry. */
export type Override = (request: IncomingMessage, response: ServerResponse) => boolean | undefined;

/** Says of everything whose path ends so what the function answers. */
export const at =
  (end: string, answer: Override): Override =>
  (request, response) =>
    pathOf(request).endsWith(end) && request.headers.authorization ? answer(request, response) : undefined;

const pathOf = ({ url = "" }: IncomingMessage) => url.replace(/\?.*$/, "");

/** The same status whatever is asked. */
export const status =
  (code: number, headers: Record<string, string> = {}): Override =>
  (_, response) => {
    response.writeHead(code, headers).end();
    return true;
  };

/** A small registry that holds what it is given, asks for Basic authentication, and counts. */
export async function fakeRegistry(images: Readonly<Record<string, Content>>, override?: Override) {
  const things = new Map<string, { body: Uint8Array; type: string }>();
  const tags = new Map<string, string[]>();
  const add = (repository: string, { descriptor, bytes, parts }: Content) => {
    const kind = parts.length > 0 ? "manifests" : "blobs";
    const thing = { body: bytes, type: descriptor.mediaType };
    things.set(`/v2/${repository}/${kind}/${descriptor.digest}`, thing);
    for (const part of parts) add(repository, part);
    return thing;
  };
  for (const [name, content] of Object.entries(images)) {
    const [repository = "", tag = ""] = name.split(":");
    tags.set(repository, [...(tags.get(repository) ?? []), tag]);
    things.set(`/v2/${repository}/manifests/${tag}`, add(repository, content));
  }
  const asked: string[] = [];
  const load = { now: 0, most: 0 };
  const url = await serve((request, response) => {
    load.now += 1;
    load.most = Math.max(load.most, load.now);
    response.once("close", () => {
      load.now -= 1;
    });
    asked.push(`${request.method} ${request.url}`);
    if (override?.(request, response)) return;
    const basic = `Basic ${Buffer.from(`${account.user}:${account.password}`).toString("base64")}`;
    if (request.headers.authorization !== basic)
      return void response.writeHead(401, { "www-authenticate": 'Basic realm="fake"' }).end();
    // Long enough for others to come in meanwhile.
    setTimeout(() => answer(request, response, things, tags), 2);
  });
  return { url, asked, load, things };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  things: ReadonlyMap<string, { readonly body: Uint8Array; readonly type: string }>,
  tags: ReadonlyMap<string, readonly string[]>,
): void {
  const path = pathOf(request);
  const [, repository = ""] = /^\/v2\/(.+)\/tags\/list$/.exec(path) ?? [];
  const thing = things.get(path);
  if (path === "/v2/_catalog") json(response, { repositories: [...tags.keys()] });
  else if (tags.has(repository)) json(response, { tags: tags.get(repository) });
  else if (thing) sendThing(request, response, thing);
  else json(response, { errors: [{ code: "UNKNOWN" }] }, 404);
}

/** A manifest or blob, as far as a request asks for it. */
export function sendThing(
  request: IncomingMessage,
  response: ServerResponse,
  { body, type }: { readonly body: Uint8Array; readonly type: string },
): void {
  sendRange(request, response, body, { "content-type": type, "docker-content-digest": digestOf(body) });
}

export function json(response: ServerResponse, document: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(document));
}

/** Runs the probe against an address, with the account unless another is given. */
export async function probe(
  url: string,
  flags: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<Outcome & { readonly report: ProbeReport }> {
  const variables = { REG_USER: account.user, REG_PASS: account.password, ...environment };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  return withReport<ProbeReport>(await regwarden(["probe", "--url", url, "--json", ...flags]));
}
