import { createHash } from "node:crypto";
import { copyFileSync, existsSync, linkSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { writeAtomically } from "../files.ts";
import { cacheDirectory, projectRoot } from "../paths.ts";

/** What the launcher of the stand-in runs. */
export interface StandIn {
  readonly node: string;
  readonly program: string;
}

/**
 * Has the stand-in in the cache, complete, under the hash of its content: labs of other clones run it too, also when
 * the clone that wrote it last is gone.
 */
export async function ensureStandIn(cache = cacheDirectory()): Promise<StandIn> {
  const bytes = await bundled();
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  const program = join(cache, "command-plugin", `${hash}.mjs`);
  if (!existsSync(program)) writeAtomically(program, bytes);
  return { node: ensureNode(cache), program };
}

async function bundled(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    absWorkingDir: projectRoot,
    entryPoints: ["lab/machine/command-plugin/main.ts"],
    write: false,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    // Optional parts of ssh2, which it does without.
    external: ["*.node", "cpu-features"],
    // For the packages that are CommonJS.
    banner: {
      js: 'import { createRequire } from "node:module"; import { fileURLToPath } from "node:url"; const require = createRequire(import.meta.url); const __filename = fileURLToPath(import.meta.url); const __dirname = fileURLToPath(new URL(".", import.meta.url));',
    },
    logLevel: "warning",
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error("esbuild made no file");
  return file.contents;
}

/** The Node that runs this program, in the cache: a link where that is the same file system. */
function ensureNode(cache: string): string {
  const node = join(cache, "node", process.version, "node");
  if (existsSync(node)) return node;
  const beside = `${node}.${process.pid}.new`;
  mkdirSync(dirname(node), { recursive: true });
  rmSync(beside, { force: true });
  try {
    linkSync(process.execPath, beside);
  } catch {
    copyFileSync(process.execPath, beside);
  }
  renameSync(beside, node);
  return node;
}
