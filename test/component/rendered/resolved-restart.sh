set -eu
systemctl restart systemd-resolved.service
resolvectl query --legend=no registry.example.com
