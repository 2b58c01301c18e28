import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accessLogFormat, accessLogFormatName } from "../../../contract/access-log.ts";
import { ensurePackages } from "../../../lab/machine/packages.ts";
import { findCommand } from "../../../lab/machine/paths.ts";
import { freePort } from "../server/free-port.ts";
import { becomesReady, endProcess } from "../server/running.ts";
import type { Service } from "../server/service.ts";

/**
 * A real nginx in front of a server; `keepsBlobs`: with a cache of its own for whatever is served; `logsTo`: where it writes
 * the access log of the private registry.
 */
export async function startNginx(
  target: string,
  { keepsBlobs = false, logsTo }: { readonly keepsBlobs?: boolean; readonly logsTo?: string } = {},
): Promise<Service> {
  await ensurePackages({}, ["nginx"]);
  const directory = await mkdtemp(join(tmpdir(), "regwarden-nginx-"));
  const port = await freePort();
  const path = join(directory, "nginx.conf");
  await writeFile(path, render(directory, port, target, { keepsBlobs, logsTo }));
  const child = spawn(findCommand("nginx") ?? "nginx", ["-c", path, "-e", join(directory, "error.log")], {
    stdio: "ignore",
  });
  const url = `http://127.0.0.1:${port}`;
  await becomesReady("nginx", 15, [child], async () => (await fetch(`${url}/v2/`)).status > 0);
  const stop = async () => {
    await endProcess(child);
    await rm(directory, { recursive: true, force: true });
  };
  return { url, stop };
}

function render(
  directory: string,
  port: number,
  target: string,
  { keepsBlobs, logsTo }: { readonly keepsBlobs: boolean; readonly logsTo: string | undefined },
): string {
  const log =
    logsTo === undefined
      ? "access_log off;"
      : `log_format ${accessLogFormatName} escape=json '${accessLogFormat}';\n  access_log ${logsTo} ${accessLogFormatName};`;
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `  ${name}_temp_path ${directory}/${name};\n`,
  );
  const cache = keepsBlobs ? "      proxy_cache kept;\n      proxy_cache_valid 200 1h;\n" : "";
  // Its workers would else run as another account, which may not write to the directory.
  return `daemon off;
user root;
worker_processes 1;
pid ${directory}/pid;
events {}
http {
  ${log}
${paths.join("")}  proxy_cache_path ${directory}/kept keys_zone=kept:1m;
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 0;
    location / {
      proxy_pass ${target};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
${cache}    }
  }
}
`;
}
