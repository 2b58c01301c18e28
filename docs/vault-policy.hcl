# What the token of a stack must be allowed, and nothing else: reading the secrets that its configuration names, here with
# the paths of Pulumi.example.yaml and a KV version 2 engine at "secret". No child token is made of it.
path "secret/data/woodpecker/registry_ssh_key" { capabilities = ["read"] }
path "secret/data/viktor"                      { capabilities = ["read"] }

# Only those that regwarden:vault names: tls, cachePasswords, driveSync, kubeconfig.
path "secret/data/registry/tls"        { capabilities = ["read"] }
path "secret/data/infra"               { capabilities = ["read"] }
path "secret/data/drive-sync"          { capabilities = ["read"] }
path "secret/data/registry/kubeconfig" { capabilities = ["read"] }
