# Varnish in front of edgepress: varnishd -a :80 -f /etc/varnish/edgepress.vcl -s malloc,2g
# edgepress needs CDN=http://127.0.0.1:80/ (any path).
vcl 4.1;

import std;

backend edgepress {
    .host = "127.0.0.1";
    .port = "3000";
    .first_byte_timeout = 60s;
    .probe = {
        .url = "/readyz";
        .interval = 5s;
    }
}

# Who may purge.
acl purgers {
    "127.0.0.0"/8;
    "::1";
}

sub vcl_recv {
    if (req.method == "PURGE") {
        if (client.ip !~ purgers) {
            return (synth(403, "not allowed to purge"));
        }
        if (req.http.Cache-Tag !~ "^[a-z]-[0-9a-f]{32}(,[a-z]-[0-9a-f]{32})*$") {
            return (synth(400, "PURGE needs Cache-Tag: tags of edgepress, separated by commas"));
        }
        # It names the object alone, so that Varnish also looks for what to delete by itself.
        if (std.ban("obj.http.x-amz-meta-cache-tag ~ (^|,)(" + regsuball(req.http.Cache-Tag, ",", "|") + ")(,|$)")) {
            return (synth(200, "purged"));
        }
        return (synth(500, std.ban_error()));
    }
    # The routes of operators (/units, /metrics) and the pages stay inside.
    if (req.url !~ "^/u/" && req.url != "/healthz") {
        return (synth(404));
    }

    # Browsers send some twenty different Accept headers, and edgepress knows three answers: three copies instead of twenty.
    if (req.http.Accept ~ "(?i)image/avif(?!\s*;\s*q=0(\.0*)?\s*(,|$))") {
        set req.http.Accept = "image/avif,image/webp";
    } elsif (req.http.Accept ~ "(?i)image/webp(?!\s*;\s*q=0(\.0*)?\s*(,|$))") {
        set req.http.Accept = "image/webp";
    } else {
        set req.http.Accept = "*/*";
    }
    if (req.http.Save-Data ~ "(?i)^\s*on\b") {
        set req.http.Save-Data = "on";
    } else {
        unset req.http.Save-Data;
    }
    # Pictures are the same for everyone.
    unset req.http.Cookie;
    unset req.http.Authorization;
    # A backend that is down: what has expired is served meanwhile.
    if (std.healthy(req.backend_hint)) {
        set req.grace = 1m;
    }
}

sub vcl_hash {
    # Not the host: the same picture has one copy under all names.
    hash_data(req.url);
    return (lookup);
}

sub vcl_backend_response {
    # A copy is served rather than an error.
    if (beresp.status >= 500 && bereq.is_bgfetch) {
        return (abandon);
    }
    if (beresp.ttl > 0s) {
        set beresp.grace = 1d;
    }
}
