import { join } from "node:path";
import { LabError } from "../../../lab/machine/errors.ts";
import { cacheDirectory } from "../../../lab/machine/paths.ts";
import { run } from "../../../lab/machine/run.ts";
import { vaultBuild } from "../../../lab/machine/tools/go-builds.ts";
import { ensureTool, type Tool, type ToolSource, withToolLock } from "../../../lab/machine/tools/tool.ts";
import { fromToolCache, onPath } from "../../../lab/machine/tools/tool-sources.ts";
import { openBaoPackage, openBaoVersion } from "./openbao.ts";

const vaultVersion = "1.21.4";

/** `1` builds Vault where there is none, `openbao` takes OpenBao for it. Neither is done without being asked for. */
const { REGWARDEN_VAULT: asked } = process.env;

const tool = (name: string, version: string, said: RegExp, sources: readonly ToolSource[]): Tool => ({
  program: "vault",
  version,
  directory: join(cacheDirectory(), "tools", `${name}-${version}`),
  sources,
  check: async (directory) => {
    const command = [join(directory, "bin/vault"), "version"] as const;
    const { stdout } = await run(command, { quiet: true, timeoutSeconds: 30 });
    if (!said.test(stdout)) throw new LabError("E_MISSING", `it says "${stdout.trim()}"`);
  },
  hint: "Put vault on PATH, or install Go 1.25 or newer, and run this again.",
});

const chosen =
  asked === "openbao"
    ? tool("openbao", openBaoVersion, /^OpenBao v2\./, [openBaoPackage])
    : tool("vault", vaultVersion, /^Vault v1\./, [
        onPath("vault"),
        fromToolCache("vault"),
        ...(asked === "1" ? [vaultBuild(vaultVersion)] : []),
      ]);

/** Vault's program, server and CLI in one. */
export function vaultBinary(): string {
  return join(chosen.directory, "bin/vault");
}

/** Has Vault; why not, where it would have to be built or downloaded and that is not asked for. */
export async function ensureVault(): Promise<string | undefined> {
  try {
    await withToolLock(() => ensureTool(chosen, {}));
    return undefined;
  } catch (error) {
    if (asked !== undefined || !(error instanceof LabError)) throw error;
    return "no vault on PATH or in the tool cache: see REGWARDEN_VAULT in CONTRIBUTING.md";
  }
}
