import { randomUUID } from "node:crypto";
import type { DeploymentCheckConfig } from "../../../contract/deployment-check.ts";
import { containers } from "../../../contract/host-names.ts";
import type { Send } from "../../http/client.ts";
import type { Account, Answer } from "../../http/exchange.ts";
import { digestOf } from "../../registry/digest.ts";
import { type Check, check, type Observation } from "../check.ts";
import { sentinel } from "../sentinel.ts";
import { readCatalogue } from "./catalogue.ts";

const restartProxy = `nginx talks to another backend, as it keeps the address of a registry that was recreated: docker restart ${containers.nginx}`;

/** That the private registry is closed to strangers, open to its account, and really the one that it should be. */
export async function checkPrivate(
  config: DeploymentCheckConfig["private"],
  account: Account,
  send: Send,
): Promise<readonly Check[]> {
  const ping = `${config.url}/v2/`;
  // One after the other: what the first one has to wait for, the others then find running.
  return [
    await check("private registry asks for an account", "401 with WWW-Authenticate", async () =>
      observeStranger(await send(ping), config, send),
    ),
    await check("private registry refuses a wrong password", "401", async () =>
      observeImpostor(await send(ping, { account: { user: account.user, password: randomUUID() } })),
    ),
    await check("private registry accepts the account", "200", async () =>
      observeAccount(await send(ping, { account })),
    ),
    await check("the sentinel can be pulled", `200 with ${sentinel.digest}`, () =>
      observeSentinel(config, account, send),
    ),
    await check("the catalogue is the registry's own", `${config.sentinel.repository} listed`, () =>
      observeCatalogue(config, account, send),
    ),
  ];
}

async function observeStranger(
  { status, headers }: Answer,
  { url }: DeploymentCheckConfig["private"],
  send: Send,
): Promise<Observation> {
  const challenge = headers.get("www-authenticate");
  if (status === 401 && challenge !== null) return { got: "401 with WWW-Authenticate" };
  if (status === 401)
    return { got: "401 without WWW-Authenticate", hint: `the registry did not say that. ${restartProxy}` };
  if (status !== 200) return { got: String(status), hint: hintForStatus(status) };
  const { repositories } = await readCatalogue(url, { send });
  if (repositories.length === 0) return { got: "200 with an empty catalogue", hint: restartProxy };
  const hint =
    "every client can pull: put auth.htpasswd back into the registry's configuration and recreate the registry.";
  return { got: "200 with a catalogue that every client can read", hint };
}

function observeImpostor({ status }: Answer): Observation {
  if (status === 401) return { got: "401" };
  const hint = status === 200 ? `no password is checked. ${restartProxy}` : hintForStatus(status);
  return { got: String(status), hint };
}

function observeAccount({ status }: Answer): Observation {
  return { got: String(status), hint: status === 200 ? undefined : hintForStatus(status) };
}

async function observeSentinel(
  { url, sentinel: { repository, tag } }: DeploymentCheckConfig["private"],
  account: Account,
  send: Send,
): Promise<Observation> {
  const headers = { accept: sentinel.mediaType };
  const { status, body } = await send(`${url}/v2/${repository}/manifests/${tag}`, { headers, account });
  if (status === 404)
    return {
      got: "404",
      hint: `first run regwarden seed-sentinel. If it was there before, the storage is another one, or ${restartProxy}`,
    };
  if (status !== 200) return { got: String(status), hint: hintForStatus(status) };
  const digest = digestOf(body);
  if (digest === sentinel.digest) return { got: `200 with ${digest}` };
  return {
    got: `200 with ${digest}`,
    hint: "another image was pushed over it: name another tag for the sentinel and seed that.",
  };
}

async function observeCatalogue(
  { url, sentinel: { repository } }: DeploymentCheckConfig["private"],
  account: Account,
  send: Send,
): Promise<Observation> {
  const { status, repositories } = await readCatalogue(url, { send, account, until: repository });
  if (status !== 200) return { got: String(status), hint: hintForStatus(status) };
  if (repositories.includes(repository)) return { got: "listed" };
  // Only the names after it were asked for, so whether there are any at all is another question.
  const all = await readCatalogue(url, { send, account });
  if (all.repositories.length === 0) return { got: "an empty catalogue", hint: restartProxy };
  return {
    got: "not listed",
    hint: "first run regwarden seed-sentinel; else the storage is not the same as before.",
  };
}

function hintForStatus(status: number): string {
  if (status === 401 || status === 403)
    return "the account is refused: see that htpasswd is that of the current password, and recreate the registry.";
  if (status >= 300 && status < 400)
    return "something in between redirects: the address must be the registry's own.";
  if (status >= 500) return `see the registry's log. If it runs: ${restartProxy}`;
  return "something else than a registry answers: check the address and the proxy's configuration.";
}
