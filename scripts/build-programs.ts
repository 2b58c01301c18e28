import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { type BuildResult, build, type Plugin } from "esbuild";
import { builtBundle, builtClusterBundle } from "../contract/host-paths.ts";
import packageJson from "../package.json" with { type: "json" };

/** Root of the repository. */
const root = join(import.meta.dirname, "..");

/** Of package.json, only the version goes in: else each change of a dependency would make a new program to roll out. */
const versionOnly: Plugin = {
  name: "version-only",
  setup: ({ onLoad }) => {
    const contents = JSON.stringify({ version: packageJson.version });
    onLoad({ filter: /[\\/]package\.json$/ }, () => ({ contents, loader: "json" }));
  },
};

/** What each bundle begins with. */
const entries = { [builtBundle]: "scripts/main.ts", [builtClusterBundle]: "scripts/cluster.ts" };

/**
 * Bundles programs into one file that any Node 24 runs without anything beside it. Names stay readable, since stack
 * traces of the bundle are all that an operator has; the same sources give the same bytes.
 */
export function bundlePrograms(entry: string, outfile: string): Promise<BuildResult> {
  return build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node24",
    banner: { js: "#!/usr/bin/env node" },
    // The cluster's API takes the bundle as YAML, where a character such as U+0085 becomes another one.
    charset: "ascii",
    // Shorter statements by a twentieth, as one of them rides in a ConfigMap; names and lines stay for stack traces.
    minifySyntax: true,
    plugins: [versionOnly],
    metafile: true,
    logLevel: "warning",
  });
}

if (import.meta.main) {
  for (const [bundle, entry] of Object.entries(entries)) {
    const { metafile } = await bundlePrograms(entry, bundle);
    await chmod(join(root, bundle), 0o755);
    for (const [path, { bytes }] of Object.entries(metafile?.outputs ?? {}))
      process.stdout.write(`${path}: ${(bytes / 1024).toFixed(1)} KiB\n`);
  }
}
