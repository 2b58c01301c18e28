import bcrypt from "bcryptjs";
import { type FormerVm, formerFiles } from "./files.ts";

/** What a VM needs beside the files that are the same everywhere. */
export interface Layout extends FormerVm {
  readonly user: string;
  readonly userPassword: string;
  /** PEM text. */
  readonly certificate: string;
  readonly privateKey: string;
}

/** Runs a command on a host as root, with standard input; throws when it fails. */
export type OnHost = (command: string, input?: string) => Promise<string>;

/** Files that belong to root alone, as the former deployment wrote them. */
const modes: Readonly<Record<string, string>> = {
  "/opt/registry/tls/privkey.pem": "0600",
  "/opt/registry/cleanup-tags.sh": "0755",
  "/opt/registry/fix-broken-blobs.sh": "0755",
  "/var/spool/cron/crontabs/root": "0600",
};

/** Lays a host out as the former deployment did, and starts its unit. The images are there under their former tags. */
export async function layOutFormerVm(sh: OnHost, vm: Layout): Promise<void> {
  await sh(`docker tag nginx:1.28.0-alpine nginx:alpine
docker tag joxit/docker-registry-ui:2.5.7 joxit/docker-registry-ui:latest`);
  const files = {
    ...formerFiles(vm),
    "/opt/registry/htpasswd": `${vm.user}:${await bcrypt.hash(vm.userPassword, 5)}\n`,
    "/opt/registry/tls/fullchain.pem": vm.certificate,
    "/opt/registry/tls/privkey.pem": vm.privateKey,
  };
  for (const [path, text] of Object.entries(files))
    await sh(
      `mkdir -p "$(dirname ${path})" && umask 022 && cat >${path} && chmod ${modes[path] ?? "0644"} ${path}`,
      text,
    );
  await sh(`cd /opt/registry && for name in dockerhub ghcr quay k8s kyverno private; do mkdir -p data/$name; done
mkdir -p data/private/_breakglass
systemctl daemon-reload && systemctl enable --quiet docker-compose-registry.service
# It may be the remote of the caches, which end where theirs does not answer.
docker compose up --detach --wait registry-private
systemctl start docker-compose-registry.service || {
  journalctl --unit docker-compose-registry.service --lines 15 --no-pager --output cat >&2
  for id in $(docker ps --all --quiet); do
    docker inspect --format '{{.Name}} {{.State.Status}} {{with .State.Health}}{{.Status}}{{end}}' "$id" >&2
    docker logs --tail 3 "$id" >&2 2>&1
  done
  exit 1
}`);
}

/** Everything of the former VM that the way back must restore, in lines that differ where it differs. */
export const formerStateCommand = `cd /
find opt/registry -path opt/registry/data -prune -o -type f -print0 | sort -z | xargs -0 sha256sum
find opt/registry -path 'opt/registry/data/*' -prune -o -printf '%m %U:%G %p\\n' | sort
sha256sum var/spool/cron/crontabs/root etc/systemd/system/docker-compose-registry.service
stat -c '%a %U %n' var/spool/cron/crontabs/root
systemctl is-enabled docker-compose-registry.service
docker ps --all --format '{{.Names}}' --filter label=com.docker.compose.project=registry | sort |
  xargs docker inspect --format '{{.Name}} {{.Config.Image}} {{.Image}} {{.State.Status}} {{.HostConfig.RestartPolicy.Name}}'`;
