import { defaultCaches, privateRegistry } from "../../../contract/registries.ts";

/**
 * The files of a VM as the former deployment laid it out: one compose file, nginx with listeners for three of its six
 * ports, tags that move, a UI that shows a cache, no metrics but one cache's, nine cron lines.
 */
export interface FormerVm {
  /** Remote of every cache; undefined: the public one of each. */
  readonly remoteUrl?: string;
  readonly hostname: string;
  /** At the first cache's remote; undefined: without an account, as where the remote asks for none. */
  readonly account?: { readonly username: string; readonly password: string };
  readonly nginxImage?: string;
  readonly uiImage?: string;
}

const root = "/opt/registry";
const registries = [...defaultCaches.map(({ name }) => name), privateRegistry];

/** Content by path; the password file and the certificate are not among them. */
export function formerFiles(vm: FormerVm): Record<string, string> {
  const caches = defaultCaches.map(({ name, remoteUrl }, at) => [
    `${root}/config-${name}.yml`,
    cacheConfig(name, vm.remoteUrl ?? remoteUrl, at === 0 ? vm.account : undefined, at === 0),
  ]);
  return {
    [`${root}/docker-compose.yml`]: composeFile(vm),
    [`${root}/nginx.conf`]: nginxConf(vm.hostname),
    ...Object.fromEntries(caches),
    [`${root}/config-private.yml`]: privateConfig,
    [`${root}/cleanup-tags.sh`]:
      "#!/usr/bin/env python3\nprint('Deleted 0 tags. Run garbage-collect to reclaim space.')\n",
    [`${root}/fix-broken-blobs.sh`]:
      "#!/usr/bin/env python3\nprint('Layer scan: checked 0 links, removed 0 orphaned.')\n",
    "/etc/systemd/system/docker-compose-registry.service": unit,
    "/var/spool/cron/crontabs/root": formerCrontab,
  };
}

const log = (name: string) => `>> /var/log/registry-${name}.log 2>&1`;

/** Root's crontab: nine lines. */
export const formerCrontab = [
  "# m h  dom mon dow   command",
  ...registries.map(
    (name, at) =>
      `${at * 5} 3 * * 0 /usr/bin/docker exec registry-${name} registry garbage-collect -m /etc/docker/registry/config.yml ${log("gc")}`,
  ),
  `0 2 * * * python3 ${root}/cleanup-tags.sh 10 ${log("cleanup")}`,
  `30 3 * * 0 python3 ${root}/fix-broken-blobs.sh ${log("fix-blobs")}`,
  `30 2 * * 1-6 python3 ${root}/fix-broken-blobs.sh ${log("fix-blobs")}`,
  "",
].join("\n");

const unit = `[Unit]
Description=Docker Compose Registry Stack
After=docker.service
Requires=docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
WorkingDirectory=${root}
ExecStart=/usr/bin/docker compose up -d --remove-orphans
ExecStop=/usr/bin/docker compose down
TimeoutStartSec=300

[Install]
WantedBy=multi-user.target
`;

function storage(purgeAge: string, more = ""): string {
  return `storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: /var/lib/registry
${more}  delete:
    enabled: true
  maintenance:
    uploadpurging:
      enabled: true
      age: ${purgeAge}
      interval: 4h
      dryrun: false
`;
}

const health = `health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
`;

function cacheConfig(
  name: string,
  remoteUrl: string,
  account: FormerVm["account"],
  hasMetrics: boolean,
): string {
  const debug = "  debug:\n    addr: :5001\n    prometheus:\n      enabled: true\n      path: /metrics\n";
  const login =
    account === undefined ? "" : `  username: ${account.username}\n  password: ${account.password}\n`;
  return `version: 0.1
log:
  fields:
    service: registry-${name}
${storage("24h")}http:
  addr: :5000
  draintimeout: 60s
  headers:
    X-Content-Type-Options: [nosniff]
${hasMetrics ? debug : ""}${health}proxy:
  remoteurl: ${remoteUrl}
${login}  ttl: 0
`;
}

const privateConfig = `version: 0.1
log:
  fields:
    service: registry
${storage("168h", "    maxsize: 100GiB\n")}http:
  addr: :5000
  headers:
    X-Content-Type-Options: [nosniff]
auth:
  htpasswd:
    realm: "Registry Realm"
    path: /auth/htpasswd
${health}`;

function composeFile({
  nginxImage = "nginx:alpine",
  uiImage = "joxit/docker-registry-ui:latest",
}: FormerVm): string {
  const isUp = (test: string) => `    healthcheck:
      test: ["CMD-SHELL", ${JSON.stringify(test)}]
      interval: 30s
      timeout: 10s
      retries: 3
      start_period: 10s
`;
  const registry = (name: string) => {
    const isPrivate = name === privateRegistry;
    const answers = "wget -q -O /dev/null http://127.0.0.1:5000/v2/";
    const asks = "wget -S -O /dev/null http://127.0.0.1:5000/v2/ 2>&1 | grep -q 'HTTP/'";
    return `  registry-${name}:
    image: registry:2.8.3
    container_name: registry-${name}
    restart: always
    networks: [registry]
${name === "dockerhub" ? '    ports: ["5001:5001"]\n' : ""}    volumes:
      - ./data/${name}:/var/lib/registry
      - ./config-${name}.yml:/etc/docker/registry/config.yml:ro
${isPrivate ? "      - ./htpasswd:/auth/htpasswd:ro\n" : ""}${isUp(isPrivate ? asks : answers)}`;
  };
  const ports = ["5000", "5010", "5020", "5030", "5040", "5050"].map((port) => `      - "${port}:${port}"\n`);
  const waits = registries.map((name) => `      registry-${name}: { condition: service_healthy }\n`);
  return `services:
${registries.map(registry).join("\n")}
  nginx:
    image: ${nginxImage}
    container_name: registry-nginx
    restart: always
    networks: [registry]
    ports:
${ports.join("")}    volumes:
      - ./nginx.conf:/etc/nginx/nginx.conf:ro
      - ./tls:/etc/nginx/tls:ro
      - nginx-cache:/var/cache/nginx
    depends_on:
${waits.join("")}${isUp("wget -q -O /dev/null http://127.0.0.1:5000/v2/")}
  registry-ui:
    image: ${uiImage}
    container_name: registry-ui
    restart: always
    networks: [registry]
    ports: ["8080:80"]
    environment:
      - NGINX_PROXY_PASS_URL=http://registry-dockerhub:5000
      - DELETE_IMAGES=true
      - SINGLE_REGISTRY=true
      - SHOW_CONTENT_DIGEST=true
      - REGISTRY_TITLE=example.com
    depends_on:
      registry-dockerhub: { condition: service_healthy }

networks:
  registry:
    driver: bridge
volumes:
  nginx-cache:
`;
}

function nginxConf(hostname: string): string {
  const upstream = (name: string) => `  upstream ${name} {
    server registry-${name}:5000;
    keepalive 32;
  }
`;
  const timeouts = "      proxy_read_timeout 900s;\n      proxy_send_timeout 900s;\n";
  const cache = (port: number, name: string) => `  server {
    listen ${port};
    client_max_body_size 0;
    proxy_request_buffering off;
    location ~ /v2/.*/blobs/ {
      proxy_pass http://${name};
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header Connection "";
      proxy_cache registry;
      proxy_cache_lock on;
      proxy_cache_valid 200 24h;
      proxy_cache_min_uses 2;
${timeouts}    }
    location /v2/ {
      proxy_pass http://${name};
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header Connection "";
${timeouts}    }
    location / {
      default_type text/plain;
      return 200 "ok\\n";
    }
  }
`;
  return `worker_processes auto;
pid /tmp/nginx.pid;
error_log /var/log/nginx/error.log warn;
events { worker_connections 1024; }
http {
  # Blobs of the caches.
  proxy_cache_path /var/cache/nginx/registry levels=1:2 keys_zone=registry:500m max_size=50g inactive=24h use_temp_path=off;
${["dockerhub", "ghcr", "private"].map(upstream).join("")}
${cache(5000, "dockerhub")}${cache(5010, "ghcr")}  server {
    listen 5050 ssl;
    server_name ${hostname};
    ssl_certificate /etc/nginx/tls/fullchain.pem;
    ssl_certificate_key /etc/nginx/tls/privkey.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    client_max_body_size 0;
    proxy_request_buffering off;
    proxy_buffering off;
    location /v2/ {
      proxy_pass http://private;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
${timeouts}    }
    location / { return 200 "ok\\n"; }
  }
}
`;
}
