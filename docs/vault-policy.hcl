# What a token of the stack may do: read the secrets that its configuration names. No child token is made of it, and
# nothing is listed or written.

# The plugin asks for how long its token lives.
path "auth/token/lookup-self" { capabilities = ["read"] }

# regwarden:vault.sshKey
path "secret/data/regwarden/ssh" { capabilities = ["read"] }

# regwarden:vault.account
path "secret/data/regwarden/account" { capabilities = ["read"] }

# regwarden:vault.tls
path "secret/data/regwarden/tls" { capabilities = ["read"] }

# regwarden:vault.cachePasswords
path "secret/data/regwarden/caches" { capabilities = ["read"] }

# regwarden:vault.driveSync
path "secret/data/regwarden/drive-sync" { capabilities = ["read"] }

# regwarden:vault.kubeconfig
path "secret/data/regwarden/kubeconfig" { capabilities = ["read"] }

# What the stack makes here: drift runs read it.
path "sys/policies/acl/regwarden" { capabilities = ["read"] }
path "auth/jwt/role/regwarden-ci" { capabilities = ["read"] }
