import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { findCommand } from "../lab/machine/paths.ts";
import { acceptAnyManifest } from "../scripts/registry/media-types.ts";
import { requestsFor, type ServedStore } from "./served-store.ts";

const seconds = 5;

/** Asks for one path of the list after the other, over and over. */
const script = `
local requests = {}
-- Not before: the header Host is known only then.
init = function()
  for line in io.lines(os.getenv("PATHS")) do
    local kind, path = line:match("^(%S+) (%S+)$")
    local headers = { ["Accept"] = os.getenv("ACCEPT") }
    if kind == "blob" then headers["Range"] = "bytes=-1" end
    requests[#requests + 1] = wrk.format("GET", path, headers)
  end
end
local at = 0
request = function()
  at = at % #requests + 1
  return requests[at]
end
`;

/**
 * Requests a second of wrk over so many connections, asking the URLs that the probe asks: what the server itself can do
 * beside a client that costs nearly nothing. Undefined where wrk is not installed.
 */
export async function rateOfWrk(
  { host, tags }: ServedStore,
  connections: number,
): Promise<number | undefined> {
  if (findCommand("wrk") === undefined) return undefined;
  const directory = await mkdtemp(join(tmpdir(), "regwarden-wrk-"));
  try {
    const [paths, lua] = [join(directory, "paths"), join(directory, "ask.lua")];
    const requests = tags.flatMap(requestsFor);
    await writeFile(
      paths,
      requests.map(({ path, isBlob }) => `${isBlob ? "blob" : "manifest"} ${path}\n`).join(""),
    );
    await writeFile(lua, script);
    const flags = ["--threads", "1", "--connections", String(connections), "--duration", `${seconds}s`];
    const env = { PATHS: paths, ACCEPT: acceptAnyManifest };
    const { stdout } = await execa("wrk", [...flags, "--script", lua, `http://${host}`], { env });
    if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk met errors:\n${stdout}`);
    return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? Number.NaN);
  } finally {
    await rm(directory, { recursive: true });
  }
}
