import { readFileSync } from "node:fs";
import { join } from "node:path";
import { jsModule } from "../../contract/write-freeze.ts";

/** What the stack needs an image for; the keys of the pinned images. */
export const imageRoles = ["registry", "nginx", "ui", "node"] as const;
export type ImageRole = (typeof imageRoles)[number];

/** A program of the root file system, or the project's own Node. */
export interface Program {
  /** Path in the root file system; `node` stands for the project's own Node. */
  readonly from: string;
  readonly to: string;
}

/** How to build an image from packages: programs with their libraries, busybox, and these files. */
export interface Recipe {
  readonly programs: readonly Program[];
  readonly directories?: readonly string[];
  /** Text files by path; those that start with `#!` are executable. */
  readonly files?: Readonly<Record<string, string>>;
  /** Files to take from the root file system as they are. */
  readonly copies?: readonly string[];
  readonly links?: Readonly<Record<string, string>>;
  /** Dockerfile instructions for the image's configuration. */
  readonly changes: readonly string[];
}

const registryEntrypoint = `#!/bin/sh
set -e
case "$1" in
  *.yaml | *.yml) set -- registry serve "$@" ;;
  serve | garbage-collect | help | -*) set -- registry "$@" ;;
esac
exec "$@"
`;

const registryConfiguration = `version: 0.1
log:
  fields:
    service: registry
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: /var/lib/registry
http:
  addr: :5000
  headers:
    X-Content-Type-Options: [nosniff]
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
`;

const nginxConfiguration = `user nginx;
worker_processes auto;
error_log /var/log/nginx/error.log notice;
pid /run/nginx.pid;
events { worker_connections 1024; }
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  access_log /var/log/nginx/access.log;
  server {
    listen 80;
    root /usr/share/nginx/html;
  }
}
`;

const uiEntrypoint = `#!/bin/sh
set -eu
cat >/etc/nginx/nginx.conf <<END
user nginx;
error_log /var/log/nginx/error.log notice;
pid /run/nginx.pid;
events { worker_connections 256; }
http {
  include /etc/nginx/mime.types;
  access_log /var/log/nginx/access.log;
  server {
    listen \${NGINX_LISTEN_PORT:-80};
    root /usr/share/nginx/html;
    location /v2/ {
      proxy_pass \${NGINX_PROXY_PASS_URL:-http://127.0.0.1:5000};
      proxy_set_header Host \\$http_host;
    }
  }
}
END
printf '%s\\n' "\${REGISTRY_TITLE:-Docker registry}" >/usr/share/nginx/html/title.txt
exec nginx -g 'daemon off;'
`;

const nodeEntrypoint = `#!/bin/sh
set -e
if [ "\${1#-}" != "$1" ] || ! command -v "$1" >/dev/null || { [ -f "$1" ] && ! [ -x "$1" ]; }; then
  set -- node "$@"
fi
exec "$@"
`;

const nginx: Recipe = {
  programs: ["usr/sbin/nginx", jsModule.slice(1)].map((path) => ({ from: path, to: path })),
  directories: ["var/cache/nginx", "var/lib/nginx", "etc/nginx/conf.d", "usr/share/nginx/html"],
  files: {
    "etc/nginx/nginx.conf": nginxConfiguration,
    "usr/share/nginx/html/index.html": "<!doctype html><title>nginx</title><h1>nginx</h1>\n",
  },
  copies: ["etc/nginx/mime.types"],
  links: { "var/log/nginx/access.log": "/dev/stdout", "var/log/nginx/error.log": "/dev/stderr" },
  changes: ['CMD ["nginx","-g","daemon off;"]', "EXPOSE 80", "STOPSIGNAL SIGQUIT"],
};

/** Recipes of images that behave like those whose names they take, as far as the stack uses them. */
export const recipes: Readonly<Record<ImageRole, Recipe>> = {
  registry: {
    programs: [{ from: "usr/bin/docker-registry", to: "usr/bin/registry" }],
    directories: ["var/lib/registry"],
    files: { "entrypoint.sh": registryEntrypoint, "etc/docker/registry/config.yml": registryConfiguration },
    changes: [
      'ENTRYPOINT ["/entrypoint.sh"]',
      'CMD ["/etc/docker/registry/config.yml"]',
      "EXPOSE 5000",
      "VOLUME /var/lib/registry",
    ],
  },
  nginx,
  ui: {
    ...nginx,
    files: {
      "docker-entrypoint.sh": uiEntrypoint,
      "usr/share/nginx/html/index.html": readFileSync(join(import.meta.dirname, "ui/index.html"), "utf8"),
    },
    changes: ['ENTRYPOINT ["/docker-entrypoint.sh"]', "EXPOSE 80", "STOPSIGNAL SIGQUIT"],
  },
  node: {
    programs: [{ from: "node", to: "usr/local/bin/node" }],
    files: { "usr/local/bin/docker-entrypoint.sh": nodeEntrypoint },
    changes: ['ENTRYPOINT ["docker-entrypoint.sh"]', 'CMD ["node"]'],
  },
};
