-- One host for a run, on loopback, without TLS: the proxies stand between, and what is judged is above it.
run_as_root = true -- in a container there may be nobody else
data_path = "{dir}/data"
pidfile = "{dir}/prosody.pid"
log = { debug = "{dir}/prosody.log" }
statistics = "none"

interfaces = { "{host}" }
c2s_ports = { {port} }
s2s_ports = {}
legacy_ssl_ports = {}
c2s_direct_tls_ports = {}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
limits = {}

modules_enabled = { "roster", "saslauth", "disco", "ping", "presence", "message", "iq", "smacks", "offline", "groups" }
modules_disabled = { "s2s", "s2s_bidi", "s2s_auth_certs", "tls" }

-- Every name is an account, with any password.
authentication = "insecure"
insecure_open_authentication = "Yes please, I know what I'm doing!"

-- Each sees the presence of each, without asking.
groups_file = "{dir}/groups.txt"

-- RFC 6120, 7.7.2.2, leaves it to the server who goes when a resource is taken: here the older session.
conflict_resolve = "kick_old"

-- For how long a session without a link may be resumed: short, so that a run sees its end.
smacks_hibernation_time = 5
smacks_max_ack_delay = 2
-- After so much silence the server asks, and after as much again a link is lost.
network_settings = { read_timeout = 2 }

VirtualHost "localhost"
