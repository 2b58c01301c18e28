import { accessLogFormat, accessLogFormatName, accessLogPath } from "../../../contract/access-log.ts";
import {
  backupMetricsPath,
  breakGlassMetricsPath,
  containers,
  diskMetricsPath,
  maintenanceMetricsPaths,
  registryContainer,
  registryMetricsPath,
  scanMetricsPath,
} from "../../../contract/host-names.ts";
import {
  backupFile,
  breakGlassFile,
  diskFile,
  maintenanceFiles,
  reportDirectory,
  scanFiles,
} from "../../../contract/host-paths.ts";
import { inUseReference, privateRegistry } from "../../../contract/registries.ts";
import { jsModule } from "../../../contract/write-freeze.ts";
import { type CacheSettings, lowerUnit, type RegistrySettings, registryNames } from "../settings.ts";
import { MANAGED_BY } from "./managed-by.ts";
import { DEBUG_PORT } from "./registry-config.ts";
import { freezeDefinitions, freezeStatusLocations, passWrites, writeLocations } from "./write-freeze.ts";

/** Port of the UI's own web server, inside the compose network. */
export const UI_CONTAINER_PORT = 80;

/** The master gives the cache directories to its workers and then becomes their user. */
export const NGINX_CAPABILITIES = ["CHOWN", "SETGID", "SETUID"] as const;

/** All ports that nginx listens on and the host publishes. */
export function publishedPorts({ caches, private: own, ui, metrics }: RegistrySettings): number[] {
  return [...caches.map(({ port }) => port), own.port, ...(ui.enabled ? [ui.port] : []), metrics.port];
}

/**
 * The configuration of the nginx in front of all registries; for nginx 1.26 and newer, with its module for JavaScript.
 *
 * Every backend is a variable: nginx then asks Docker's DNS again after ten seconds. A name written into `proxy_pass`
 * is resolved once at start, and after a recreate nginx would go on talking to whatever got the old address.
 */
export function nginxConfig(settings: RegistrySettings): string {
  return [
    head(),
    settings.caches.length > 0 ? cacheZone(settings) : "",
    settings.private.pullUser === undefined ? "" : pullOnly(settings.private.pullUser),
    freezeDefinitions,
    ...settings.caches.map(cacheServer),
    privateServer(settings),
    settings.ui.enabled ? uiServer(settings) : "",
    metricsServer(settings),
    "}\n",
  ].join("");
}

const head = () => `# ${MANAGED_BY}
load_module ${jsModule};
worker_processes auto;
# After a reload the old workers end with their last transfer; this ends a client that never does.
worker_shutdown_timeout 1h;
pid /tmp/nginx.pid;
error_log /dev/stderr warn;

events {
  worker_connections 1024;
}

http {
  log_format registry '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
                      '"$http_user_agent" to=$upstream_addr seconds=$request_time/$upstream_response_time '
                      'cache=$upstream_cache_status';
  log_format ${accessLogFormatName} escape=json
    '${accessLogFormat}';
  access_log /dev/stdout registry;
  server_tokens off;
  default_type text/plain;

  client_body_temp_path /var/cache/nginx/client_temp;
  proxy_temp_path /var/cache/nginx/proxy_temp;
  fastcgi_temp_path /var/cache/nginx/fastcgi_temp;
  uwsgi_temp_path /var/cache/nginx/uwsgi_temp;
  scgi_temp_path /var/cache/nginx/scgi_temp;

  # Docker's own DNS: containers get new addresses whenever they are recreated.
  resolver 127.0.0.11 valid=10s ipv6=off;

  # Layers have any size and may take long.
  client_max_body_size 0;
  proxy_http_version 1.1;
  proxy_request_buffering off;
  proxy_connect_timeout 5s;
  proxy_read_timeout 900s;
  proxy_send_timeout 900s;

  # With its port, or the registry redirects uploads to the wrong port.
  proxy_set_header Host $http_host;
  proxy_set_header Connection "";
  proxy_set_header X-Real-IP $remote_addr;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Proto $scheme;
`;

// The caches hold the same blobs on disk: this saves them the most popular ones, no more.
const cacheZone = ({ blobCache: { size, minFree } }: RegistrySettings) => `
  proxy_cache_path /var/cache/nginx/registry levels=1:2 keys_zone=registry:20m inactive=24h use_temp_path=off
                   max_size=${lowerUnit(size)} min_free=${lowerUnit(minFree)};
`;

// 2.8.3 knows no rights: every account may push. The password is checked by the registry, as for every other account.
// The path as it was sent: one that is spelled in another way is refused.
const pullOnly = (user: string) => {
  const account = user.replaceAll(".", "\\.");
  const { repository, tag } = inUseReference;
  const list = `/v2/${repository}/(?:blobs/uploads/[\\w-]*|manifests/${tag})(?:\\?|$)`;
  return `
  # 1 for a write by the account that may only pull, but for the list of the images in use
  map "$request_method $remote_user $request_uri" $is_refused_write {
    default 0;
    "~^(?:GET|HEAD) ${account} " 0;
    "~^(?:PATCH|POST|PUT) ${account} ${list}" 0;
    "~^\\S+ ${account} " 1;
  }
`;
};

const allowed = (networks: readonly string[] | undefined): string =>
  networks === undefined
    ? ""
    : `${networks.map((network) => `      allow ${network};\n`).join("")}      deny all;\n`;

const cacheServer = ({ name, port, remoteUrl, allowFrom }: CacheSettings) => `
  # Pull-through cache of ${remoteUrl}
  server {
    listen ${port};
    set $backend ${registryContainer(name)};

    location ~ ^/v2/.+/blobs/sha256:[0-9a-f]+$ {
${allowed(allowFrom)}      proxy_pass http://$backend:5000;
      proxy_cache registry;
      proxy_cache_key $backend$uri;
      proxy_cache_valid 200 24h;
      proxy_cache_valid any 0;
      proxy_cache_min_uses 2;
      proxy_cache_lock on;
      proxy_cache_lock_timeout 5m;
      proxy_cache_lock_age 5m;
      proxy_cache_use_stale updating;
    }

    location /v2/ {
${allowed(allowFrom)}      proxy_pass http://$backend:5000;
    }
${healthLocation}  }
`;

const refuseWrites = `      if ($is_refused_write) {
        return 403 '{"errors":[{"code":"DENIED","message":"this account may only pull"}]}\\n';
      }
`;

const privateServer = ({ hostname, private: { port, pullUser } }: RegistrySettings) => `
  # The private registry
  server {
    listen ${port} ssl;
    server_name ${hostname};
${tls}    set $backend ${registryContainer(privateRegistry)};
    proxy_buffering off;
    access_log /dev/stdout registry;
    # What clients were answered, for retention and collection
    ${recorded}

    location /v2/ {
${pullUser === undefined ? "" : refuseWrites}${passWrites}${passToBackend}    }
${writeLocations(passToBackend, ["access_log /dev/stdout registry;", recorded])}${healthLocation}  }
`;

const recorded = `access_log ${accessLogPath} ${accessLogFormatName};`;

const passToBackend = "      proxy_pass http://$backend:5000;\n";

// The browser asks for /v2/ here, on the page's own origin; the UI's server never talks to the registry.
const uiServer = ({ hostname, ui: { port } }: RegistrySettings) => `
  # The UI: shows the private registry to those who may read it, and changes nothing
  server {
    listen ${port} ssl;
    server_name ${hostname};
${tls}    set $backend ${registryContainer(privateRegistry)};
    set $ui ${containers.ui};

    location = /authenticate {
      internal;
      proxy_pass http://$backend:5000/v2/;
      proxy_pass_request_body off;
      proxy_set_header Host $http_host;
      proxy_set_header Connection "";
      proxy_set_header Content-Length "";
    }

    location /v2/ {
      limit_except GET {
        deny all;
      }
      proxy_pass http://$backend:5000;
    }

    location / {
      auth_request /authenticate;
      proxy_pass http://$ui:${UI_CONTAINER_PORT};
    }
  }
`;

const metricsServer = (settings: RegistrySettings) => `
  # Metrics of each registry; /metrics alone is the one of dockerhub, as it was before there were more
  server {
    listen ${settings.metrics.port};
${metricsLocations(settings)}
    # Written by the scan of the store
    location = ${scanMetricsPath} {
      alias ${reportDirectory}/${scanFiles.metrics};
    }

${maintenanceLocations()}${settings.backup ? copiesLocation(backupMetricsPath, backupFile) : ""}${
  settings.breakGlass ? copiesLocation(breakGlassMetricsPath, breakGlassFile) : ""
}    # Free space, written every few minutes
    location = ${diskMetricsPath} {
      alias ${reportDirectory}/${diskFile};
    }

${freezeStatusLocations()}
    location = /nginx_status {
      stub_status;
    }

    location = /healthz {
      access_log off;
      return 200 "ok\\n";
    }

    location / {
      return 404 "not here\\n";
    }
  }
`;

// Missing until the first run of each.
function maintenanceLocations(): string {
  return Object.entries(maintenanceMetricsPaths)
    .map(
      ([name, path]) => `    location = ${path} {
      alias ${reportDirectory}/${maintenanceFiles[name as keyof typeof maintenanceFiles]};
    }

`,
    )
    .join("");
}

// Missing until the first run.
const copiesLocation = (path: string, file: string) => `    location = ${path} {
      alias ${reportDirectory}/${file};
    }

`;

function metricsLocations(settings: RegistrySettings): string {
  const names = registryNames(settings);
  const byName = names.map((name) => metricsLocation(registryMetricsPath(name), name));
  return [...(names.includes("dockerhub") ? [metricsLocation("/metrics", "dockerhub")] : []), ...byName].join(
    "",
  );
}

const metricsLocation = (path: string, registry: string) => `
    location = ${path} {
      set $backend ${registryContainer(registry)};
      proxy_pass http://$backend:${DEBUG_PORT}/metrics;
    }
`;

const tls = `    ssl_certificate /etc/nginx/tls/fullchain.pem;
    ssl_certificate_key /etc/nginx/tls/privkey.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:tls:10m;
`;

// 503 when the registry cannot use its storage, 502 when it is not there.
const healthLocation = `
    location = /healthz {
      access_log off;
      proxy_read_timeout 5s;
      proxy_pass http://$backend:${DEBUG_PORT}/debug/health;
    }

    location / {
      return 404 "not here: this is a registry, its API begins at /v2/\\n";
    }
`;
