//! Forms as OAuth reads them. Pure.

use zeroize::Zeroizing;

/// What is wrong with a form. Source: RFC 6749 §3.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum FormProblem {
    /// A parameter stands twice.
    #[error("a parameter is given more than once")]
    Repeated,
    /// A parameter that is needed is not there.
    #[error("the parameter `{0}` is missing")]
    Missing(&'static str),
}

/// The parameters of a request, decoded. Values may be secret.
pub(super) struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`. A parameter without a value counts as left out,
    /// one given twice is an error, unknown ones are ignored. Source: RFC 6749 §3.2.
    pub(super) fn parse(body: &[u8]) -> Result<Self, FormProblem> {
        let mut parameters: Vec<(String, Zeroizing<String>)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(body) {
            if parameters.iter().any(|(known, _)| *known == name) {
                return Err(FormProblem::Repeated);
            }
            parameters.push((name.into_owned(), Zeroizing::new(value.into_owned())));
        }
        Ok(Self(parameters))
    }

    /// A parameter, if it was given and is not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// A parameter that must be there.
    pub(super) fn need(&self, name: &'static str) -> Result<&str, FormProblem> {
        self.get(name).ok_or(FormProblem::Missing(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_reads_as_oauth_says() {
        let form =
            Form::parse(b"grant_type=refresh_token&refresh_token=a%2Bb+c&scope=&x=1").unwrap();
        assert_eq!(form.get("grant_type"), Some("refresh_token"));
        assert_eq!(form.get("refresh_token"), Some("a+b c"));
        assert_eq!(form.get("scope"), None);
        assert_eq!(
            form.need("client_id"),
            Err(FormProblem::Missing("client_id"))
        );
    }

    #[test]
    fn a_parameter_given_twice_is_an_error() {
        assert_eq!(
            Form::parse(b"token=a&token=b").err(),
            Some(FormProblem::Repeated)
        );
        assert_eq!(
            Form::parse(b"token=a&token=").err(),
            Some(FormProblem::Repeated)
        );
    }
}
