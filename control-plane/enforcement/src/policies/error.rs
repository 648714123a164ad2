//! What can be refused about policies.

use plinto_contract::problem::{Code, FieldError};
use plinto_platform::{
    actor::Denied,
    db::DbError,
    http::{HasCode, known::Unread},
    tells_refusals,
};
use plinto_policy::{
    bundle,
    cases::{Case, Outcome},
    diagnostics::PolicyError,
};
use plinto_tenancy::{signing_keys::SigningKeysError, tenants::TenantsError};
use serde::{Deserialize, Serialize};

/// 20: findings shown of one bundle; whoever has more mends these first.
const FINDINGS_MAX: usize = 20;
/// 16 KiB: what a refusal says at most.
const DETAIL_BYTES: usize = 16 * 1024;

/// Why a verb on policies came to nothing. Whatever it was, what is active stays active.
#[derive(Debug, thiserror::Error)]
pub enum PoliciesError {
    /// No bundle of this revision, or no artifact of this digest, in this tenant.
    #[error("no such bundle")]
    NotFound,
    /// Nothing was ever activated.
    #[error("no bundle is active")]
    NothingActive,
    /// There was nothing active before what is active now.
    #[error("nothing was active before the active bundle")]
    NothingToRollBackTo,
    /// The archive cannot be used.
    #[error(transparent)]
    Bundle(#[from] bundle::Error),
    /// The content has another revision than the manifest or our own row says.
    #[error(
        "the manifest says revision `{declared}`, but the content is `{computed}`: it was changed after it was built"
    )]
    Altered {
        /// What it should be.
        declared: String,
        /// What it is.
        computed: String,
    },
    /// The bundle brings data that only the control plane writes.
    #[error("`data.{0}` is written by the control plane and must not be in the bundle")]
    ReservedData(String),
    /// The policy cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Some of the bundle's own tests do not pass.
    #[error("{} of the bundle's tests do not pass", .0.len())]
    TestsFailed(Vec<Case>),
    /// The bundle was checked and refused.
    #[error("{}", .0.detail)]
    Refused(Refusal),
    /// The check of the bundle had to be ended.
    #[error("compiling the bundle and running its tests takes more than {0}")]
    TooExpensive(&'static str),
    /// The check of the bundle could not be made.
    #[error("the check of the bundle could not be started or spoken to")]
    Checker(#[source] std::io::Error),
    /// Too many bundles are being compiled.
    #[error("too many bundles are being checked; try again shortly")]
    Busy,
    /// The work on a bundle ended without a result.
    #[error("the check of the bundle was interrupted")]
    Interrupted,
    /// Others activate at the same time.
    #[error("another activation was faster; look at what is active now")]
    Overtaken,
    /// What we built is not what the edge would accept.
    #[error("the signed bundle did not verify")]
    Unverifiable(#[source] plinto_jose::Error),
    /// No tenant has this slug.
    #[error(transparent)]
    Tenant(#[from] TenantsError),
    /// The tenant is not known now.
    #[error(transparent)]
    TenantUnread(#[from] Unread<TenantsError>),
    /// The bundle key.
    #[error(transparent)]
    Signing(#[from] SigningKeysError),
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The database refused, or was not there.
    #[error(transparent)]
    Database(#[from] DbError),
}

tells_refusals!(PoliciesError);

/// Why a bundle was refused, in the words of a problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The stable name.
    pub(crate) code: Code,
    /// What is wrong with it.
    pub(crate) detail: String,
    /// The places at fault.
    pub(crate) errors: Vec<FieldError>,
}

impl Refusal {
    pub(super) fn of(error: &PoliciesError) -> Self {
        let mut detail = error.detail();
        detail.truncate(detail.floor_char_boundary(DETAIL_BYTES));
        Self {
            code: error.code(),
            detail,
            errors: error.field_errors(),
        }
    }
}

impl HasCode for PoliciesError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound | Self::NothingActive => Code::NotFound,
            Self::NothingToRollBackTo => Code::NothingToRollBackTo,
            Self::Bundle(error) => error.problem(),
            Self::Altered { .. } | Self::ReservedData(_) => Code::BundleMalformed,
            Self::Policy(error) => error.problem(),
            Self::TestsFailed(_) => Code::PolicyTestsFailed,
            Self::Refused(refusal) => refusal.code,
            Self::TooExpensive(_) => Code::PolicyTooExpensive,
            Self::Busy => Code::Overloaded,
            Self::Overtaken => Code::PreconditionFailed,
            Self::Checker(_) | Self::Interrupted | Self::Unverifiable(_) => Code::Internal,
            Self::Tenant(error) => error.code(),
            Self::TenantUnread(error) => error.code(),
            Self::Signing(error) => error.code(),
            Self::Denied(error) => error.code(),
            Self::Database(error) => error.code(),
        }
    }

    fn retry_after_s(&self) -> Option<i64> {
        matches!(self, Self::Busy).then_some(1)
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Self::Refused(refusal) => refusal.errors.clone(),
            Self::Policy(error) => findings(error),
            Self::TestsFailed(cases) => cases.iter().take(FINDINGS_MAX).map(failure).collect(),
            _ => Vec::new(),
        }
    }
}

/// `file:line:column` stands where a JSON Pointer would: the body is an archive.
fn findings(error: &PolicyError) -> Vec<FieldError> {
    let findings = error.diagnostics.iter().take(FINDINGS_MAX);
    findings
        .map(|finding| {
            let place = if finding.line == 0 {
                finding.file.clone()
            } else {
                format!("{}:{}:{}", finding.file, finding.line, finding.column)
            };
            FieldError::new(place, finding.kind.as_str(), finding.message.clone())
        })
        .collect()
}

fn failure(case: &Case) -> FieldError {
    let (code, detail) = match &case.outcome {
        Outcome::Passed => ("passed", "passed"),
        Outcome::Skipped => ("skipped", "skipped"),
        Outcome::Failed(detail) => ("test_failed", detail.as_str()),
        Outcome::Errored(detail) => ("test_errored", detail.as_str()),
    };
    FieldError::new(
        format!("{}:{}", case.file, case.line),
        code,
        format!("{}.{}: {detail}", case.package, case.name),
    )
}
