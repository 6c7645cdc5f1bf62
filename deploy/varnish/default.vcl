# Varnish before the public port, purged by tags: cdn: {kind: varnish, urls: ["http://127.0.0.1:6081/"]}.
# It needs the package varnish-modules, for xkey. The gateway sends the tags of an image in the header xkey; docs/events.md
# says which they are.
vcl 4.1;

import xkey;

backend default {
    .host = "127.0.0.1";
    .port = "8080";
}

# The gateways: only they may purge.
acl gateways {
    "127.0.0.1";
    "::1";
}

sub vcl_recv {
    if (req.method ~ "^(PURGE|BAN)$" && client.ip !~ gateways) {
        return (synth(403, "Forbidden"));
    }
    if (req.method == "BAN") {
        ban("obj.status != 0");
        return (synth(200, "All banned"));
    }
    if (req.method == "PURGE") {
        if (req.http.xkey-purge) {
            set req.http.purged = xkey.purge(req.http.xkey-purge);
        } elsif (req.http.xkey-softpurge) {
            set req.http.purged = xkey.softpurge(req.http.xkey-softpurge);
        } else {
            return (synth(400, "No tags"));
        }
        return (synth(200, "Purged " + req.http.purged));
    }
}

sub vcl_deliver {
    unset resp.http.xkey;
}
