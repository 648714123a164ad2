//! Which of a client's headers never reach the application: those by which only a proxy that the
//! application trusts would speak. A program that believes one of them takes its sender's word for who
//! asks, from where, or for what.
//!
//! Names are compared in one form: small letters and digits, and `-` for every other character. CGI,
//! WSGI and PHP read `X_Plinto.Subject` and `X-Plinto-Subject` as the same variable.

use std::borrow::Cow;

use plinto_contract::headers;

/// Who sets which headers. A name that ends in `*` stands for all that begin like it.
/// `docs/reference/stripped-headers.md` is written from it.
pub const TRUSTED: &[(&str, &str)] = &[
    ("Plinto", "x-plinto-* x-request-id x-client-request-id"),
    (
        "Proxies of every kind: the client's address, the host and scheme it asked for",
        "forwarded forwarded-for front-end-https x-forwarded* x-host x-http-host-override x-scheme x-url-scheme \
         client-ip http-client-ip proxy-client-ip true-client-ip wl-proxy-client-ip x-client-ip \
         x-cluster-client-ip x-originally-forwarded-for x-originating-ip x-proxyuser-ip x-real-ip x-user-ip",
    ),
    (
        "Proxies of every kind: another method or path than the one that was asked for",
        "script-name x-http-method x-http-method-override x-method-override x-orig-url x-original-* x-override-url \
         x-rewrite-url x-script-name",
    ),
    (
        "Web servers, to CGI and what grew from it: who is signed in; `Proxy` becomes `HTTP_PROXY`",
        "proxy remote-* x-remote-* redirect-* http-*",
    ),
    (
        "TLS terminators: the client's certificate (RFC 9440, and older names)",
        "client-cert* ssl-* x-cert x-cert-* x-certificate-* x-client-cert* x-client-dn x-client-s-dn x-client-ssl-* \
         x-client-verify x-ssl-* x-tls-client-*",
    ),
    (
        "Gateways that sign people in, by the names that manuals use",
        "x-authenticated-* x-auth-email x-auth-groups x-auth-roles x-auth-subject x-auth-user x-auth-userid \
         x-auth-username x-email x-groups x-roles x-user x-user-email x-user-groups x-user-id x-user-name \
         x-user-roles x-userid x-userinfo x-username x-webauth-*",
    ),
    (
        "nginx, ingress-nginx",
        "x-accel-* x-auth-request-* x-sendfile*",
    ),
    (
        "oauth2-proxy, beside X-Auth-Request-… and X-Forwarded-…",
        "gap-auth gap-signature",
    ),
    ("Envoy, Istio", "x-envoy-* x-ext-authz-* x-istio-*"),
    ("Linkerd", "l5d-*"),
    (
        "Apache: mod_auth_openidc, mod_auth_mellon, Shibboleth",
        "mellon-* oidc-* shib-*",
    ),
    ("Kong", "x-anonymous-consumer x-consumer-* x-credential-*"),
    (
        "Authentik, Pomerium, Tailscale, Vouch",
        "tailscale-* x-authentik-* x-pomerium-* x-vouch-*",
    ),
    (
        "Oracle Access Manager, SiteMinder, WebSEAL",
        "iv-* oam-* sm-* smuser",
    ),
    (
        "Amazon Web Services: load balancer, CloudFront, Lambda's web adapter",
        "cloudfront-* x-amzn-lambda-context x-amzn-mtls-* x-amzn-oidc-* x-amzn-request-context x-amzn-tls-*",
    ),
    (
        "Google Cloud: Identity-Aware Proxy, App Engine, API Gateway",
        "x-apigateway-api-userinfo x-appengine-* x-cloudscheduler* x-cloudtasks-* x-endpoint-api-userinfo \
         x-gfe-* x-goog-authenticated-user-* x-goog-iap-* x-google-*",
    ),
    (
        "Azure: App Service, Application Gateway, Front Door",
        "disguised-host was-default-hostname x-appservice-proto x-arr-* x-azure-* x-fd-* x-ms-allow-http \
         x-ms-client-principal* x-ms-token-* x-waws-*",
    ),
    (
        "Cloudflare: Access, client certificates, the client's address (the edge says it in `x-forwarded-for`)",
        "cf-access-* cf-cert-* cf-client-cert-* cf-connecting-* cf-pseudo-ipv4 cf-visitor",
    ),
    (
        "Other platforms and content networks",
        "ali-cdn-real-ip do-connecting-ip fastly-client* fastly-ff fastly-ssl fly-client-ip fly-forwarded-* \
         incap-client-ip x-nf-client-connection-ip x-sucuri-* x-vercel-forwarded-for x-vercel-ip-* \
         x-vercel-oidc-token x-vercel-proxied-for",
    ),
    (
        "Next.js, between its own parts",
        "x-invoke-* x-middleware-subrequest*",
    ),
];

/// Headers that no list may name: without them a request is another one.
const INDISPENSABLE: [&str; 2] = ["host", "content-length"];

/// The headers that are stripped: [`TRUSTED`], and what the configuration adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stripped {
    /// Sorted, and none begins with another that is a prefix. So the only entry that can cover a name
    /// is the last that isn't greater than it.
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    name: Cow<'static, str>,
    is_prefix: bool,
}

impl Stripped {
    /// [`TRUSTED`], and `more`: names separated by commas or spaces, a `*` at the end of one standing
    /// for whatever follows.
    /// Errors: what is wrong with `more`.
    pub fn new(more: &str) -> Result<Self, String> {
        let mut entries: Vec<Entry> = TRUSTED
            .iter()
            .flat_map(|(_, names)| names.split_whitespace())
            .map(Entry::known)
            .collect();
        for pattern in more.split([',', ' ']).filter(|pattern| !pattern.is_empty()) {
            entries.push(added(pattern)?);
        }
        // a prefix before the name that is the same without the `*`
        entries.sort_by(|a, b| a.name.cmp(&b.name).then(b.is_prefix.cmp(&a.is_prefix)));
        entries.dedup_by(|later, earlier| earlier.covers(&later.name));
        Ok(Self { entries })
    }

    /// Whether a header of this name, in the form of [`folded`], is stripped.
    pub fn covers(&self, folded: &str) -> bool {
        let after = self.entries.partition_point(|entry| *entry.name <= *folded);
        after
            .checked_sub(1)
            .and_then(|last| self.entries.get(last))
            .is_some_and(|entry| entry.covers(folded))
    }
}

impl Entry {
    fn known(pattern: &'static str) -> Self {
        let name = pattern.trim_end_matches('*');
        Self {
            name: Cow::Borrowed(name),
            is_prefix: name.len() < pattern.len(),
        }
    }

    fn covers(&self, folded: &str) -> bool {
        if self.is_prefix {
            folded.starts_with(&*self.name)
        } else {
            folded == self.name
        }
    }
}

/// One name of the configuration's.
fn added(pattern: &str) -> Result<Entry, String> {
    let name = pattern.strip_suffix('*').unwrap_or(pattern);
    if name.is_empty() || !name.bytes().all(is_token_byte) {
        return Err(format!(
            "`{pattern}` is not a header's name, nor the beginning of one and `*`"
        ));
    }
    let entry = Entry {
        name: Cow::Owned(folded(name).into_owned()),
        is_prefix: name.len() < pattern.len(),
    };
    match INDISPENSABLE.iter().find(|name| entry.covers(name)) {
        Some(name) => Err(format!(
            "`{pattern}` would strip `{name}`, without which no request can be read"
        )),
        None => Ok(entry),
    }
}

/// A header's name in the one form that is compared.
pub fn folded(name: &str) -> Cow<'_, str> {
    #[cfg(test)]
    crate::testing::count_step();
    let is_folded = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.bytes().all(is_folded) {
        return Cow::Borrowed(name);
    }
    let fold = |character: char| {
        if character.is_ascii_alphanumeric() {
            character.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    Cow::Owned(name.chars().map(fold).collect())
}

/// Whether a header, in the form of [`folded`], is one of ours.
pub fn is_ours(folded: &str) -> bool {
    folded.starts_with(headers::PREFIX)
}

/// `tchar` of RFC 9110 §5.6.2.
const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(more: &str) -> Stripped {
        Stripped::new(more).unwrap()
    }

    #[test]
    fn every_name_of_the_table_is_stripped_however_it_is_spelled() {
        let stripped = stripped("");
        for pattern in TRUSTED
            .iter()
            .flat_map(|(_, names)| names.split_whitespace())
        {
            assert_eq!(
                folded(pattern.trim_end_matches('*')),
                pattern.trim_end_matches('*')
            );
            let name = pattern.replace('*', "anything");
            for spelling in [
                name.clone(),
                name.to_ascii_uppercase(),
                name.replace('-', "_"),
                name.replace('-', "."),
            ] {
                assert!(stripped.covers(&folded(&spelling)), "{spelling}");
            }
        }
    }

    #[test]
    fn what_says_nothing_about_who_asks_is_kept() {
        let stripped = stripped("");
        for name in [
            "accept",
            "accept-encoding",
            "authorization",
            "cache-control",
            "content-length",
            "content-type",
            "cookie",
            "host",
            "idempotency-key",
            "if-match",
            "origin",
            "range",
            "referer",
            "sec-fetch-site",
            "traceparent",
            "user-agent",
            "x-csrf-token",
            "x-plint",
            "x-requested-with",
            "x-trace-id",
            "zzz",
            "a",
            "",
        ] {
            assert!(!stripped.covers(&folded(name)), "{name}");
        }
    }

    #[test]
    fn the_configuration_adds_names() {
        let stripped =
            stripped("X-Acme_User, x-acme-auth-*  Authorization x-forwarded-for x-plinto*");
        for name in [
            "x-acme-user",
            "x-acme-auth-",
            "x-acme-auth-level",
            "authorization",
            "x-plinto",
        ] {
            assert!(stripped.covers(name), "{name}");
        }
        assert!(!stripped.covers("x-acme-users"));
        // what was covered before still is
        assert!(stripped.covers("x-plinto-roles") && stripped.covers("x-forwarded-for"));
    }

    #[test]
    fn a_list_that_would_break_requests_is_refused() {
        for more in [
            "*",
            "x acme*er",
            "x-acme\u{e4}",
            "host",
            "h*",
            "content-*",
            "Content_Length",
            "a:b",
        ] {
            assert!(Stripped::new(more).is_err(), "{more}");
        }
    }
}
