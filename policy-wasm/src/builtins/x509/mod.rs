//! `crypto.x509.*`: certificates, chains of them, and requests for them.

mod algorithm;
mod certificate;
mod constraints;
mod extensions;
mod json;
mod name;
mod policies;
mod request;
mod verify;

use super::{
    Builtin, CallError, Context,
    crypto::{
        base64::{decode_standard, encode_pem_text},
        illegal_base64,
        keys::{self, PrivateKey, PublicKey},
        pem, private_key_json,
        signature::pay_for_private_key,
    },
    operand,
};
use crate::value::Value;
use certificate::Certificate;
use verify::Options;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new(
        "crypto.x509.parse_and_verify_certificates",
        parse_and_verify,
    ),
    Builtin::new(
        "crypto.x509.parse_and_verify_certificates_with_options",
        parse_and_verify_with_options,
    ),
    Builtin::new("crypto.x509.parse_certificate_request", parse_request),
    Builtin::new("crypto.x509.parse_certificates", parse),
    Builtin::new("crypto.x509.parse_keypair", parse_keypair),
];

/// 16: how often a byte of a certificate is read or written, decoding and encoding included.
const BYTE_USES: usize = 16;

fn malformed() -> CallError {
    CallError::new("x509: malformed certificate")
}

/// The certificates of a text, one after the other: PEM, or base64 of PEM or DER.
fn der_of(context: &Context<'_>, text: &str) -> Result<Vec<u8>, CallError> {
    context
        .budget
        .pay_bytes(text.len().saturating_mul(BYTE_USES))?;
    if text.starts_with("-----BEGIN") {
        return der_of_pem(text.as_bytes());
    }
    let bytes = decode_standard(text).ok_or_else(illegal_base64)?;
    if bytes.starts_with(b"-----BEGIN") {
        return der_of_pem(&bytes);
    }
    Ok(bytes)
}

fn der_of_pem(text: &[u8]) -> Result<Vec<u8>, CallError> {
    let mut der = Vec::new();
    let mut rest = text;
    while let Some((block, next)) = pem::next(rest) {
        if block.label != b"CERTIFICATE" {
            let label = String::from_utf8_lossy(block.label).into_owned();
            return Err(CallError::Builtin(format!(
                "PEM block type is '{label}', expected CERTIFICATE"
            )));
        }
        der.extend(block.bytes);
        rest = next;
    }
    Ok(der)
}

/// Pays for the arithmetic that reading and writing the numbers of certificates takes.
fn pay_for_numbers(
    context: &Context<'_>,
    certificates: &[Certificate<'_>],
) -> Result<(), CallError> {
    for certificate in certificates {
        pay_for_number(context, certificate.serial.len())?;
        pay_for_key(context, certificate.key.key.as_ref())?;
    }
    Ok(())
}

fn pay_for_key(context: &Context<'_>, key: Option<&PublicKey>) -> Result<(), CallError> {
    match key {
        Some(PublicKey::Rsa(key)) => pay_for_number(context, key.n.len()),
        Some(PublicKey::Dsa(numbers)) => {
            for number in numbers {
                pay_for_number(context, number.len())?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Writing a number takes time with the square of its length.
fn pay_for_number(context: &Context<'_>, bytes: usize) -> Result<(), CallError> {
    let words = u64::try_from(bytes / 8).unwrap_or(u64::MAX);
    Ok(context.budget.pay(words.saturating_mul(words) / 8)?)
}

fn parse(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let der = der_of(context, operand::text(arguments, 0)?)?;
    let certificates = parse_der(context, &der)?;
    let shown = certificates
        .iter()
        .map(|certificate| json::certificate(certificate, true));
    Ok(Some(Value::array(shown.collect())))
}

fn parse_der<'a>(context: &Context<'_>, der: &'a [u8]) -> Result<Vec<Certificate<'a>>, CallError> {
    // Of a key on a curve it is checked whether it is there: for each 64 bytes one could be.
    context.budget.pay_bytes(der.len().saturating_mul(2))?;
    let certificates = certificate::parse_all(der).ok_or_else(malformed)?;
    pay_for_numbers(context, &certificates)?;
    Ok(certificates)
}

/// The key of a certificate in DER. `None` in it: of an algorithm that is not known.
pub(super) fn key_of_certificate(
    context: &Context<'_>,
    der: &[u8],
) -> Result<Option<PublicKey>, CallError> {
    context.budget.pay_bytes(der.len().saturating_mul(2))?;
    let certificate = Certificate::parse(der)
        .ok_or_else(|| CallError::new("failed to parse a PEM certificate"))?;
    Ok(certificate.key.key)
}

fn parse_and_verify(
    context: &Context<'_>,
    arguments: &[Value],
) -> Result<Option<Value>, CallError> {
    let text = operand::text(arguments, 0)?;
    let options = Options {
        host: String::new(),
        now_ns: context.now_ns,
        purposes: Vec::new(),
    };
    verified(context, text, &options, true)
}

fn parse_and_verify_with_options(
    context: &Context<'_>,
    arguments: &[Value],
) -> Result<Option<Value>, CallError> {
    let text = operand::text(arguments, 0)?;
    let object = operand::object(arguments, 1)?;
    // OPA looks at the options only when there are certificates.
    let der = match der_of(context, text) {
        Err(CallError::Builtin(_)) => return Ok(Some(refusal())),
        der => der?,
    };
    if certificate::parse_all(&der).is_none() {
        return Ok(Some(refusal()));
    }
    let options = options(context, object)?;
    verified(context, text, &options, false)
}

fn refusal() -> Value {
    Value::array(vec![false.into(), Value::array(Vec::new())])
}

/// Whether a chain is good, and the chain.
fn verified(
    context: &Context<'_>,
    text: &str,
    options: &Options,
    has_uri_texts: bool,
) -> Result<Option<Value>, CallError> {
    let der = match der_of(context, text) {
        Err(CallError::Builtin(_)) => return Ok(Some(refusal())),
        der => der?,
    };
    let certificates = match parse_der(context, &der) {
        Err(CallError::Builtin(_)) => return Ok(Some(refusal())),
        certificates => certificates?,
    };
    let Some(chain) = verify::chain(context, &certificates, options)? else {
        return Ok(Some(refusal()));
    };
    let chain: Vec<Value> = chain
        .into_iter()
        .map(|certificate| json::certificate(certificate, has_uri_texts))
        .collect();
    Ok(Some(Value::array(vec![true.into(), Value::array(chain)])))
}

fn options(context: &Context<'_>, object: &[(Value, Value)]) -> Result<Options, CallError> {
    context
        .budget
        .pay(u64::try_from(object.len()).unwrap_or(u64::MAX))?;
    let mut options = Options {
        host: String::new(),
        now_ns: context.now_ns,
        purposes: Vec::new(),
    };
    for (key, value) in object {
        let Some(key) = key.as_str() else {
            continue;
        };
        let wrong = |what: &str| CallError::Builtin(format!("'{key}' should be {what}"));
        let whole = || {
            let number = value.as_number().ok_or_else(|| wrong("a number"))?;
            number.as_i64().ok_or_else(|| wrong("a valid number"))
        };
        match key {
            "DNSName" => {
                let host = value.as_str().ok_or_else(|| wrong("a string"))?;
                context.budget.pay_bytes(host.len())?;
                host.trim_matches('"').clone_into(&mut options.host);
            }
            "CurrentTime" => options.now_ns = whole()?,
            "MaxConstraintComparisons" => drop(whole()?),
            "KeyUsages" => options.purposes = purposes(context, value)?,
            _ => return Err(CallError::new("invalid key option")),
        }
    }
    Ok(options)
}

fn purposes(context: &Context<'_>, value: &Value) -> Result<Vec<i64>, CallError> {
    let names: &[Value] = match value {
        Value::Array(array) => array,
        Value::Set(set) => set,
        _ => return Err(CallError::new("'KeyUsages' should be an Array or Set")),
    };
    context.budget.pay_value(value)?;
    let texts = names.iter().filter_map(Value::as_str);
    let purpose = |name: &str| {
        algorithm::key_purpose_named(name.trim_matches('"'))
            .ok_or_else(|| CallError::new("invalid entries for 'KeyUsages' found"))
    };
    texts.map(purpose).collect()
}

fn parse_request(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let text = operand::text(arguments, 0)?;
    context
        .budget
        .pay_bytes(text.len().saturating_mul(BYTE_USES))?;
    let bytes = if text.starts_with("-----BEGIN CERTIFICATE REQUEST-----") {
        text.as_bytes().to_vec()
    } else {
        decode_standard(text).ok_or_else(illegal_base64)?
    };
    let der = match pem::next(&bytes) {
        Some((block, _)) if block.label == b"CERTIFICATE REQUEST" => block.bytes,
        Some(_) => {
            return Err(CallError::new(
                "invalid PEM-encoded certificate signing request",
            ));
        }
        None => bytes,
    };
    let request = request::Request::parse(&der)
        .ok_or_else(|| CallError::new("x509: malformed certificate request"))?;
    pay_for_key(context, request.key.key.as_ref())?;
    Ok(Some(json::request(&request)))
}

/// A PEM text of what may be PEM, or base64 of PEM or DER.
fn pem_of(context: &Context<'_>, text: &str, label: &str) -> Result<Vec<u8>, CallError> {
    context
        .budget
        .pay_bytes(text.len().saturating_mul(BYTE_USES))?;
    if text.starts_with("-----BEGIN ") {
        return Ok(text.as_bytes().to_vec());
    }
    let bytes = decode_standard(text).ok_or_else(illegal_base64)?;
    if bytes.starts_with(b"-----BEGIN ") {
        return Ok(bytes);
    }
    Ok(encode_pem_text(label, &bytes))
}

fn parse_keypair(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let certificates = operand::text(arguments, 0)?;
    let key = operand::text(arguments, 1)?;
    let certificates = pem_of(context, certificates, "CERTIFICATE")?;
    let key = pem_of(context, key, "PRIVATE KEY")?;
    let mut blocks = Vec::new();
    let mut rest = certificates.as_slice();
    while let Some((block, next)) = pem::next(rest) {
        rest = next;
        if block.label == b"CERTIFICATE" {
            blocks.push(block.bytes);
        }
    }
    let first = blocks
        .first()
        .ok_or_else(|| CallError::new("tls: failed to find any PEM data in certificate input"))?;
    let key = key_of_pem(&key)?;
    pay_for_private_key(context, &key)?;
    let leaf = parse_der(context, first)?;
    let [leaf] = leaf.as_slice() else {
        return Err(CallError::new("x509: trailing data"));
    };
    let key =
        any_private_key(&key).ok_or_else(|| CallError::new("tls: failed to parse private key"))?;
    if leaf.key.key != Some(key.public()) {
        return Err(CallError::new("tls: private key does not match public key"));
    }
    Ok(Some(json::key_pair(&blocks, private_key_json(&key), leaf)))
}

fn key_of_pem(text: &[u8]) -> Result<Vec<u8>, CallError> {
    let mut rest = text;
    while let Some((block, next)) = pem::next(rest) {
        rest = next;
        if block.label == b"PRIVATE KEY" || block.label.ends_with(b" PRIVATE KEY") {
            return Ok(block.bytes);
        }
    }
    Err(CallError::new(
        "tls: failed to find any PEM data in key input",
    ))
}

/// A key for signing, in whichever form it is.
fn any_private_key(der: &[u8]) -> Option<PrivateKey> {
    keys::pkcs1(der)
        .or_else(|| keys::pkcs8(der))
        .or_else(|| keys::sec1(der, None))
        .filter(|key| !matches!(key, PrivateKey::X25519(_)))
}
