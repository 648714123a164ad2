//! The texts of the API as its description shows them: their pattern, length and an example.
//!
//! What a schema allows is accepted; a test sends what it allows. What no pattern can say (that an
//! id exists, that a moment lies ahead, that a password is not a common one) is in the words.

use std::borrow::Cow;

use plinto_contract::{ids, time::MOMENT_PATTERN};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, SchemaFormat, Type},
    },
};

use crate::{
    actor,
    text::{DESCRIPTION_CHARS, DESCRIPTION_PATTERN, NAME_CHARS, NAME_PATTERN, PERSON_NAME_CHARS},
};

/// What can be said of a text.
struct Text {
    pattern: Cow<'static, str>,
    most: Option<usize>,
    format: Option<&'static str>,
    example: &'static str,
}

impl Text {
    fn like(pattern: impl Into<Cow<'static, str>>, example: &'static str) -> Self {
        Self {
            pattern: pattern.into(),
            most: None,
            format: None,
            example,
        }
    }

    fn id(prefix: &str, example: &'static str) -> Self {
        Self::like(format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$"), example)
    }

    fn most(mut self, most: usize) -> Self {
        self.most = Some(most);
        self
    }

    fn format(mut self, format: &'static str) -> Self {
        self.format = Some(format);
        self
    }

    fn schema(self, description: &str) -> RefOr<Schema> {
        let format = self
            .format
            .map(|name| SchemaFormat::Custom(name.to_owned()));
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(description.trim()))
            .pattern(Some(self.pattern))
            .max_length(self.most)
            .format(format)
            .examples([self.example])
            .into()
    }
}

const POSITION: &str = "tenant_01h455vb4pex5vsknk084sn02q.9f86d081884c7d65.42";

fn position(or: &str) -> String {
    let tenant = ids::TenantId::PREFIX;
    format!(
        "^({or}{tenant}_[0-7][0-9a-hjkmnp-tv-z]{{25}}\\.[0-9a-f]{{16}}\\.(0|[1-9][0-9]{{0,9}}))$"
    )
}

macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:expr;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug)]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $text.schema(concat!($($doc),+))
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )+};
}

texts! {
    /// A tenant's id.
    TenantId = Text::id(ids::TenantId::PREFIX, "tenant_01h455vb4pex5vsknk084sn02q");
    /// A user's id.
    UserId = Text::id(ids::UserId::PREFIX, "user_01h455vb4pex5vsknk084sn02q");
    /// A session's id.
    SessionId = Text::id(ids::SessionId::PREFIX, "sess_01h455vb4pex5vsknk084sn02q");
    /// An organization's id.
    OrganizationId = Text::id(ids::OrganizationId::PREFIX, "org_01h455vb4pex5vsknk084sn02q");
    /// A membership's id.
    MemberId = Text::id(ids::MemberId::PREFIX, "mem_01h455vb4pex5vsknk084sn02q");
    /// A role's id.
    RoleId = Text::id(ids::RoleId::PREFIX, "role_01h455vb4pex5vsknk084sn02q");
    /// An API key's id, which is not its secret.
    ApiKeyId = Text::id(ids::ApiKeyId::PREFIX, "key_01h455vb4pex5vsknk084sn02q");
    /// Where in a tenant's log: behind which of its events.
    EventPosition = Text::like(position(""), POSITION);
    /// Where in a tenant's log, or `latest`.
    EventPositionOrLatest = Text::like(position("latest|"), POSITION);
    /// Types of events with commas between them; `session.*` stands for all that begin so.
    EventTypes = Text::like(
        r"^([a-z_]{1,40}\.([a-z_]{1,40}|\*))(,[a-z_]{1,40}\.([a-z_]{1,40}|\*)){0,9}$",
        "session.*,user.created",
    );
    /// The name of a place that is kept for a reader.
    EventCursorName = Text::like("^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$", "billing");
    /// An event's id.
    EventId = Text::id(ids::EventId::PREFIX, "evt_01h455vb4pex5vsknk084sn02q");
    /// A request's id, as `X-Request-Id` of its answer.
    RequestId = Text::id(ids::RequestId::PREFIX, "req_01h455vb4pex5vsknk084sn02q");
    /// A signing key's id.
    SigningKeyId = Text::id(ids::SigningKeyId::PREFIX, "sigkey_01h455vb4pex5vsknk084sn02q");
    /// A published bundle's id.
    BundleId = Text::id(ids::BundleId::PREFIX, "bundle_01h455vb4pex5vsknk084sn02q");
    /// An activation's id.
    ActivationId = Text::id(ids::ActivationId::PREFIX, "act_01h455vb4pex5vsknk084sn02q");
    /// An e-mail address: at most 254 bytes, at most 64 of them before the `@`; letters, digits and
    /// marks of any script, the domain as people write it or in ASCII. Two spellings that differ in
    /// case only are one address.
    EmailAddress = Text::like(
        r"^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*@([\p{L}\p{N}]([\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?\.)+[\p{L}][\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}]$",
        "alice@example.com",
    ).most(254);
    /// A new password: at least 15 characters, at most 1,024 bytes, and nothing that everybody tries
    /// first: common words, repetitions, sequences, the person's own name.
    NewPassword = Text::like("^[^\\u0000]{15,}$", "gavotte brindle quokka").most(256);
    /// The password that a person has now.
    CurrentPassword = Text::like("^[^\\u0000]+$", "gavotte brindle quokka").most(256);
    /// A person's name, as it was written. The first character can be seen, the last one is no white
    /// space; no controls, and nothing invisible that changes how the rest reads.
    PersonName = Text::like(NAME_PATTERN, "Alice").most(PERSON_NAME_CHARS);
    /// A name, as it was written. The first character can be seen, the last one is no white space; no
    /// controls, and nothing invisible that changes how the rest reads.
    Name = Text::like(NAME_PATTERN, "Nightly build").most(NAME_CHARS);
    /// A sentence or two, may be empty; no controls, and nothing invisible that changes how the rest
    /// reads.
    Description = Text::like(DESCRIPTION_PATTERN, "May read and write documents.")
        .most(DESCRIPTION_CHARS);
    /// A name in addresses: 1 to 63 of `a-z 0-9 -`, first and last a letter or digit.
    Slug = Text::like("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", "acme");
    /// What tokens and policies call a role: 1 to 63 of `a-z 0-9 _ -`, the first one a letter.
    RoleKey = Text::like("^[a-z][a-z0-9_-]{0,62}$", "editor");
    /// What a role may do in the application: `resource:action`.
    RolePermission = Text::like("^[a-z][a-z0-9_.-]*:[a-z][a-z0-9_.-]*$", "document:read").most(128);
    /// The software that a person uses: 1 to 64 of `A-Z a-z 0-9 . _ ~ -`.
    ClientId = Text::like("^[A-Za-z0-9._~-]{1,64}$", "plinto");
    /// Whom access tokens are for: 1 to 200 printable ASCII characters without spaces.
    Audience = Text::like("^[!-~]{1,200}$", "https://api.example.com");
    /// An origin as browsers send it: no path, no default port, the host in lower case and ASCII;
    /// `http` on this machine only. A list holds each once.
    Origin = Text::like(
        concat!(
            r"^(https://([a-z0-9]+(-+[a-z0-9]+)*\.)*[a-z][a-z0-9]*(-+[a-z0-9]+)*",
            r"|http://(localhost|127\.0\.0\.1))(:([1-9][0-9]{3}|[1-5][0-9]{4}))?$",
        ),
        "https://app.example.com",
    ).most(255);
    /// A moment: RFC 3339 in upper case; answers are in UTC with milliseconds.
    Moment = Text::like(MOMENT_PATTERN, "2030-01-31T12:00:00.000Z").format("date-time");
    /// A SHA-256 digest: 64 hexadecimal digits in lower case.
    Digest = Text::like(
        "^[0-9a-f]{64}$",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    );
}

/// What an API key, or whoever has a role, may do with this API.
#[derive(Debug)]
pub struct Permission;

impl PartialSchema for Permission {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "What an API key, or whoever has a role, may do with this API.",
            ))
            .enum_values(Some(actor::Permission::ALL.iter().map(|it| it.as_str())))
            .into()
    }
}

impl ToSchema for Permission {}
