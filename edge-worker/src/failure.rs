//! The ways in which forwarding can fail. None is said to be the application's when it is not.

use plinto_contract::problem::Code;

use crate::refusal::Refusal;

/// Why a request that may pass came to no answer. The shim tells, by the names of [`Failure::named`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It can't be sent on: the client ended its body too soon, or the platform has no way to say it.
    Request,
    /// Nobody listens at the application's address.
    Refused,
    /// The connection ended before the answer began.
    Reset,
    /// No answer began in time.
    TimedOut,
    /// What came is no answer.
    Protocol,
}

impl Failure {
    /// By the shim's name for it. What has no name came from the application's side in some other way.
    pub fn named(name: &str) -> Self {
        match name {
            "request" => Self::Request,
            "refused" => Self::Refused,
            "reset" => Self::Reset,
            "timed_out" => Self::TimedOut,
            _ => Self::Protocol,
        }
    }

    /// What the client is told.
    pub fn refusal(self) -> Refusal {
        let (code, detail) = match self {
            Self::Request => (
                Code::RequestNotForwardable,
                "the request could not be sent on as it came; the application has not answered it",
            ),
            Self::Refused => (
                Code::UpstreamUnreachable,
                "nobody listens where the application should be",
            ),
            Self::Reset => (
                Code::UpstreamReset,
                "the application ended the connection before it answered; it may have acted all the same",
            ),
            Self::TimedOut => (
                Code::UpstreamTimeout,
                "the application did not begin to answer within its time; it may have acted all the same",
            ),
            Self::Protocol => (
                Code::UpstreamProtocol,
                "what the application answered is not an HTTP answer to this request",
            ),
        };
        Refusal::new(code, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_has_a_code_of_its_own_and_says_whether_to_try_again() {
        let told = ["request", "refused", "reset", "timed_out", "protocol"].map(|name| {
            let code = Failure::named(name).refusal().code;
            (code.as_str(), code.status(), code.is_retryable())
        });
        assert_eq!(
            told,
            [
                ("request_not_forwardable", 400, false),
                ("upstream_unreachable", 502, true),
                ("upstream_reset", 502, true),
                ("upstream_timeout", 504, true),
                ("upstream_protocol", 502, false),
            ]
        );
    }
}
