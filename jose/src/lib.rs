//! Strict JWK, JWS and JWT: parse, verify, sign.
