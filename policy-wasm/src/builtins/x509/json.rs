//! Certificates as OPA's answers show them: as Go writes its own structures.

use super::{
    certificate::{Certificate, Moment, SubjectKey},
    constraints::{Network, Subtrees},
    extensions::{AlternativeNames, Counter, Extension},
    name::Attribute,
    request::{Pair, Request, Requested},
};
use crate::{
    builtins::{
        crypto::{
            base64::{Alphabet, Padding, encode},
            der::{Element, Reader, arcs, tag},
            json::{decimal, object, public_key},
        },
        net::address_text,
        time::rfc3339,
        uri::Uri,
    },
    value::Value,
};

/// What Go writes of a list: `null` for one that nothing was put in.
fn list<T>(items: impl IntoIterator<Item = T>, value: impl Fn(T) -> Value) -> Value {
    let items: Vec<Value> = items.into_iter().map(value).collect();
    if items.is_empty() {
        Value::Null
    } else {
        Value::array(items)
    }
}

fn bytes(bytes: &[u8]) -> Value {
    encode(bytes, Alphabet::Standard, Padding::Needed).into()
}

fn text(bytes: &[u8]) -> Value {
    String::from_utf8_lossy(bytes).into_owned().into()
}

fn numbers(oid: &[u8]) -> Value {
    let arcs = arcs(oid).unwrap_or_default();
    Value::array(arcs.into_iter().map(Value::from).collect())
}

fn dotted(oid: &[u8]) -> Value {
    let arcs = arcs(oid).unwrap_or_default();
    let parts: Vec<String> = arcs.iter().map(u64::to_string).collect();
    parts.join(".").into()
}

fn moment(moment: Moment) -> Value {
    rfc3339(moment.seconds, moment.offset).into()
}

fn name(attributes: &[Attribute<'_>]) -> Value {
    // `id-at`: 2.5.4
    let of = |number: u8| {
        let is_it = move |attribute: &&Attribute<'_>| attribute.oid == [0x55, 4, number];
        attributes
            .iter()
            .filter(is_it)
            .map(|attribute| attribute.value.as_str())
    };
    let all = |number| list(of(number), Value::from);
    let last = |number| Value::from(of(number).next_back().unwrap_or(""));
    let attribute = |attribute: &Attribute<'_>| {
        object(&[
            ("Type", numbers(attribute.oid)),
            ("Value", attribute.value.as_str().into()),
        ])
    };
    object(&[
        ("Country", all(6)),
        ("Organization", all(10)),
        ("OrganizationalUnit", all(11)),
        ("Locality", all(7)),
        ("Province", all(8)),
        ("StreetAddress", all(9)),
        ("PostalCode", all(17)),
        ("SerialNumber", last(5)),
        ("CommonName", last(3)),
        ("Names", list(attributes, attribute)),
        ("ExtraNames", Value::Null),
    ])
}

fn extension(extension: &Extension<'_>) -> Value {
    object(&[
        ("Id", numbers(extension.oid)),
        ("Critical", extension.is_critical.into()),
        ("Value", bytes(extension.value)),
    ])
}

fn address(bytes: &[u8]) -> Value {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return std::net::Ipv4Addr::from(v4).to_string().into();
    }
    let v6 = bytes.try_into().map_or(0, u128::from_be_bytes);
    address_text(v6).into()
}

fn network(network: &Network<'_>) -> Value {
    object(&[
        ("IP", address(network.address)),
        ("Mask", bytes(network.mask)),
    ])
}

fn uri(uri: &Uri) -> Value {
    let user = match uri.user {
        Some(_) => Value::empty_object(),
        None => Value::Null,
    };
    object(&[
        ("Scheme", uri.scheme.as_str().into()),
        ("Opaque", uri.opaque.as_str().into()),
        ("User", user),
        ("Host", uri.host.as_str().into()),
        ("Path", uri.path.as_str().into()),
        ("RawPath", uri.raw_path.as_str().into()),
        ("OmitHost", uri.omits_host.into()),
        ("ForceQuery", uri.forces_query.into()),
        ("RawQuery", uri.raw_query.as_str().into()),
        ("Fragment", uri.fragment.as_str().into()),
        ("RawFragment", uri.raw_fragment.as_str().into()),
    ])
}

fn entries(entries: &[(&str, Value)]) -> Vec<(Value, Value)> {
    let entries = entries
        .iter()
        .map(|(name, value)| ((*name).into(), value.clone()));
    entries.collect()
}

/// A certificate. `has_uri_texts`: with the field that OPA adds in two of its functions.
pub(super) fn certificate(certificate: &Certificate<'_>, has_uri_texts: bool) -> Value {
    let mut all = identity(certificate);
    all.extend(usage(certificate));
    all.extend(names(&certificate.extensions.names));
    all.extend(constraints(certificate));
    all.extend(policies(certificate));
    if has_uri_texts {
        let texts = list(&certificate.extensions.names.uris, |uri| {
            uri.to_string().into()
        });
        all.push(("URIStrings".into(), texts));
    }
    Value::object(all)
}

fn identity(certificate: &Certificate<'_>) -> Vec<(Value, Value)> {
    let mut all = entries(&[
        ("Raw", bytes(certificate.raw)),
        ("RawTBSCertificate", bytes(certificate.to_be_signed)),
        ("RawSubject", bytes(certificate.raw_subject)),
        ("RawIssuer", bytes(certificate.raw_issuer)),
        ("Signature", bytes(&certificate.signature)),
        (
            "SignatureAlgorithm",
            certificate.signature_algorithm.number.into(),
        ),
        ("Version", certificate.version.into()),
        ("SerialNumber", decimal(certificate.serial)),
        ("Issuer", name(&certificate.issuer)),
        ("Subject", name(&certificate.subject)),
        ("NotBefore", moment(certificate.not_before)),
        ("NotAfter", moment(certificate.not_after)),
        ("Extensions", list(&certificate.raw_extensions, extension)),
        ("ExtraExtensions", Value::Null),
    ]);
    all.extend(subject_key(&certificate.key));
    all
}

fn subject_key(key: &SubjectKey<'_>) -> Vec<(Value, Value)> {
    entries(&[
        ("RawSubjectPublicKeyInfo", bytes(key.raw)),
        ("PublicKeyAlgorithm", key.algorithm.into()),
        (
            "PublicKey",
            key.key.as_ref().map_or(Value::Null, public_key),
        ),
    ])
}

fn usage(certificate: &Certificate<'_>) -> Vec<(Value, Value)> {
    let extensions = &certificate.extensions;
    let basic = extensions.basic_constraints;
    let length = basic.map_or(0, |basic| basic.path_length);
    let key = |key: Option<&[u8]>| key.map_or(Value::Null, bytes);
    entries(&[
        (
            "UnhandledCriticalExtensions",
            list(&extensions.unhandled_critical, |oid| numbers(oid)),
        ),
        ("KeyUsage", extensions.key_usage.into()),
        (
            "ExtKeyUsage",
            list(&extensions.purposes, |purpose| (*purpose).into()),
        ),
        (
            "UnknownExtKeyUsage",
            list(&extensions.unknown_purposes, |oid| numbers(oid)),
        ),
        ("BasicConstraintsValid", basic.is_some().into()),
        ("IsCA", basic.is_some_and(|basic| basic.is_ca).into()),
        ("MaxPathLen", length.into()),
        ("MaxPathLenZero", (basic.is_some() && length == 0).into()),
        ("SubjectKeyId", key(extensions.subject_key)),
        ("AuthorityKeyId", key(extensions.authority_key)),
        (
            "OCSPServer",
            list(&extensions.ocsp_servers, |url| text(url)),
        ),
        (
            "IssuingCertificateURL",
            list(&extensions.issuer_urls, |url| text(url)),
        ),
        (
            "CRLDistributionPoints",
            list(&extensions.revocation_lists, |url| text(url)),
        ),
    ])
}

fn names(names: &AlternativeNames<'_>) -> Vec<(Value, Value)> {
    entries(&[
        ("DNSNames", list(&names.dns, |name| (*name).into())),
        (
            "EmailAddresses",
            list(&names.emails, |email| (*email).into()),
        ),
        (
            "IPAddresses",
            list(&names.addresses, |bytes| address(bytes)),
        ),
        ("URIs", list(&names.uris, uri)),
    ])
}

fn constraints(certificate: &Certificate<'_>) -> Vec<(Value, Value)> {
    let none = Subtrees::default();
    let constraints = certificate.extensions.constraints.as_ref();
    let permitted = constraints.map_or(&none, |constraints| &constraints.permitted);
    let excluded = constraints.map_or(&none, |constraints| &constraints.excluded);
    let is_critical = constraints.is_some_and(|constraints| constraints.is_critical);
    let texts = |names: &[&str]| list(names, |name| (*name).into());
    entries(&[
        ("PermittedDNSDomainsCritical", is_critical.into()),
        ("PermittedDNSDomains", texts(&permitted.dns)),
        ("ExcludedDNSDomains", texts(&excluded.dns)),
        ("PermittedIPRanges", list(&permitted.networks, network)),
        ("ExcludedIPRanges", list(&excluded.networks, network)),
        ("PermittedEmailAddresses", texts(&permitted.emails)),
        ("ExcludedEmailAddresses", texts(&excluded.emails)),
        ("PermittedURIDomains", texts(&permitted.uris)),
        ("ExcludedURIDomains", texts(&excluded.uris)),
    ])
}

fn policies(certificate: &Certificate<'_>) -> Vec<(Value, Value)> {
    let extensions = &certificate.extensions;
    let value = |counter: Counter| Value::from(counter.0.unwrap_or(0));
    let is_zero = |counter: Counter| Value::from(counter.0 == Some(0));
    let identifiers = extensions.policies.as_ref().map_or(Value::Null, |oids| {
        Value::array(oids.iter().map(|oid| numbers(oid)).collect())
    });
    let mapping = |(issuer, subject): &(&[u8], &[u8])| {
        object(&[
            ("IssuerDomainPolicy", dotted(issuer)),
            ("SubjectDomainPolicy", dotted(subject)),
        ])
    };
    entries(&[
        ("PolicyIdentifiers", identifiers),
        (
            "Policies",
            list(extensions.policies.iter().flatten(), |oid| dotted(oid)),
        ),
        ("PolicyMappings", list(&extensions.policy_mappings, mapping)),
        ("InhibitAnyPolicy", value(extensions.inhibit_any_policy)),
        (
            "InhibitAnyPolicyZero",
            is_zero(extensions.inhibit_any_policy),
        ),
        (
            "InhibitPolicyMapping",
            value(extensions.inhibit_policy_mapping),
        ),
        (
            "InhibitPolicyMappingZero",
            is_zero(extensions.inhibit_policy_mapping),
        ),
        (
            "RequireExplicitPolicy",
            value(extensions.require_explicit_policy),
        ),
        (
            "RequireExplicitPolicyZero",
            is_zero(extensions.require_explicit_policy),
        ),
    ])
}

/// A request for a certificate.
pub(super) fn request(request: &Request<'_>) -> Value {
    let mut all = entries(&[
        ("Raw", bytes(request.raw)),
        ("RawTBSCertificateRequest", bytes(request.to_be_signed)),
        ("RawSubject", bytes(request.raw_subject)),
        ("Version", request.version.into()),
        ("Signature", bytes(&request.signature)),
        (
            "SignatureAlgorithm",
            request.signature_algorithm.number.into(),
        ),
        ("Subject", name(&request.subject)),
        ("Attributes", list(&request.attributes, requested)),
        ("Extensions", list(&request.extensions, extension)),
        ("ExtraExtensions", Value::Null),
    ]);
    all.extend(subject_key(&request.key));
    all.extend(names(&request.names));
    Value::object(all)
}

fn requested(attribute: &Requested<'_>) -> Value {
    let pair = |pair: &Pair<'_>| object(&[("Type", numbers(pair.oid)), ("Value", any(pair.value))]);
    let pairs = |pairs: &Vec<Pair<'_>>| Value::array(pairs.iter().map(pair).collect());
    let values = Value::array(attribute.values.iter().map(pairs).collect());
    object(&[("Type", numbers(attribute.oid)), ("Value", values)])
}

/// What Go makes of an element whose type nobody told.
fn any(element: Element<'_>) -> Value {
    let mut reader = Reader(element.whole);
    match element.tag {
        tag::BOOLEAN => reader.boolean().map_or(Value::Null, Value::from),
        tag::INTEGER => reader.small().map_or(Value::Null, Value::from),
        tag::OCTET_STRING => bytes(element.content),
        tag::OID => numbers(element.content),
        _ => super::name::text(element).map_or(Value::Null, Value::from),
    }
}

/// Certificates with the key of the first one. Source: Go, `tls.Certificate`.
pub(super) fn key_pair(blocks: &[Vec<u8>], key: Value, leaf: &Certificate<'_>) -> Value {
    object(&[
        ("Certificate", list(blocks, |block| bytes(block))),
        ("PrivateKey", key),
        ("SupportedSignatureAlgorithms", Value::Null),
        ("OCSPStaple", Value::Null),
        ("SignedCertificateTimestamps", Value::Null),
        ("Leaf", certificate(leaf, false)),
    ])
}
