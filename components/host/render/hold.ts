import { containers } from "../../../contract/host-names.ts";

/**
 * Held connections: the packet that opens one is dropped, and the client's kernel sends it again after 1, 3 and 7 seconds.
 * So no client notices the seconds in which all containers are others, if they are few: most give up after 30, and the
 * pause before the fifth packet is 16. Source: tcp(7), tcp_syn_retries.
 */

/** Whatever becomes of the update, systemd ends the hold after so long. */
const LIMIT_SECONDS = 45;

/** What runs may end by itself for so long, before the containers go. */
const DRAIN_SECONDS = 2;

/** Of Docker's own packages; a host without it refuses connections for those seconds, as it always did. */
const TABLE = "iptables --wait 5 --table raw";
const CHAIN = "REGWARDEN-HOLD";

const RELEASE =
  `${TABLE} --delete PREROUTING --jump ${CHAIN} 2>/dev/null; ` +
  `${TABLE} --flush ${CHAIN} 2>/dev/null; ${TABLE} --delete-chain ${CHAIN} 2>/dev/null`;

/*
 * Only those to the host itself: what its containers open passes the same chain, and a cache whose remote listens on one
 * of these ports ends when it cannot reach it.
 */

/** Holds new connections to these ports of the host, and waits for those that are open, a little. */
export function holdScript(ports: readonly number[]): string {
  const filters = ports.map((port) => `sport = :${port}`).join(" or ");
  return `command -v iptables >/dev/null || exit 0
${releaseScript()}systemd-run --quiet --collect --unit regwarden-hold --on-active=${LIMIT_SECONDS} --timer-property=AccuracySec=1 /bin/sh -c '${RELEASE}' || exit 0
if ! { ${TABLE} --new-chain ${CHAIN} && ${ports.map((port) => `${TABLE} --append ${CHAIN} --protocol tcp --syn --dport ${port} --match addrtype --dst-type LOCAL --jump DROP`).join(" && ")} &&
  ${TABLE} --insert PREROUTING --jump ${CHAIN}; }; then
  ${RELEASE}
  exit 0
fi
process=$(docker container inspect --format '{{.State.Pid}}' ${containers.nginx} 2>/dev/null) || exit 0
for _ in $(seq ${DRAIN_SECONDS * 5}); do
  [ -n "$(nsenter --target "$process" --net ss --no-header --tcp --numeric state established '( ${filters} )' 2>/dev/null)" ] || break
  sleep 0.2
done
`;
}

/** Ends the hold; nothing where there is none. */
export function releaseScript(): string {
  return `systemctl stop regwarden-hold.timer 2>/dev/null || true
{ ${RELEASE}; } || true
`;
}
