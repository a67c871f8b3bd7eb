//! What stands behind the `?` of a URL.

use crate::refusal::Refusal;
use http::HeaderMap;
use std::collections::BTreeMap;

/// The parameters of one call. Unknown ones are refused: a mistyped filter must not answer as if
/// there were none.
pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    /// Reads `a=b&c=d`, percent-encoded.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a parameter that is given twice or is not in `known`.
    pub(super) fn read(text: Option<&str>, known: &[&str]) -> Result<Self, Refusal> {
        let mut found = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text.unwrap_or_default().as_bytes()) {
            if !known.contains(&name.as_ref()) {
                let problem = format!("is not a parameter here; these are: {}", known.join(", "));
                return Err(Refusal::field(&name, problem));
            }
            if found
                .insert(name.clone().into_owned(), value.into_owned())
                .is_some()
            {
                return Err(Refusal::field(&name, "is given twice"));
            }
        }
        Ok(Self(found))
    }

    /// A parameter as text; empty when it is absent.
    pub(super) fn text(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// A parameter as text; `None` when it is absent.
    pub(super) fn given(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    /// A parameter that is a number; 0 when it is absent.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when it is not a number in range.
    pub(super) fn number<N: std::str::FromStr + Default>(&self, name: &str) -> Result<N, Refusal> {
        match self.0.get(name) {
            None => Ok(N::default()),
            Some(text) => text
                .parse()
                .map_err(|_| Refusal::field(name, "is not a number in range")),
        }
    }

    /// A parameter that is a number and may be absent.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when it is not a number in range.
    pub(super) fn optional<N>(&self, name: &str) -> Result<Option<N>, Refusal>
    where
        N: std::str::FromStr + Default,
    {
        let present = self.0.contains_key(name);
        present.then(|| self.number(name)).transpose()
    }

    /// A parameter that is `true` or `false`; false when it is absent.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when it is neither.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.0.get(name).map(String::as_str) {
            None | Some("false") => Ok(false),
            Some("true" | "") => Ok(true),
            Some(_) => Err(Refusal::field(name, "is neither true nor false")),
        }
    }
}

/// The idempotency key of a call that changes something: header `idempotency-key`.
///
/// # Errors
/// `INVALID_ARGUMENT` when it is not visible ASCII.
pub(super) fn request_id(headers: &HeaderMap) -> Result<String, Refusal> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(String::new());
    };
    let key = key.to_str();
    key.map(str::to_owned)
        .map_err(|_| Refusal::field("idempotency-key", "is not visible ASCII"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_known_once_and_of_their_kind() {
        let known = ["page_size", "idempotent", "q"];
        let query = Query::read(Some("page_size=7&idempotent=true&q=a%3Ab+c"), &known).unwrap();
        assert_eq!(query.number::<u32>("page_size").unwrap(), 7);
        assert!(query.flag("idempotent").unwrap());
        assert_eq!(query.text("q"), "a:b c");
        let empty = Query::read(None, &known).unwrap();
        assert_eq!(empty.number::<u32>("page_size").unwrap(), 0);
        assert!(!empty.flag("idempotent").unwrap());
        for bad in ["other=1", "q=1&q=2"] {
            assert!(Query::read(Some(bad), &known).is_err(), "{bad}");
        }
        let bad = Query::read(Some("page_size=-1&idempotent=yes"), &known).unwrap();
        assert!(bad.number::<u32>("page_size").is_err());
        assert!(bad.flag("idempotent").is_err());
    }
}
