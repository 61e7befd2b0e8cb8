//! Parameters of the Account API: from the query and from a form, whatever media type the form claims.
//! Clients put them in either, and one labels its forms as JSON.

use axum::http::Uri;
use dialect::{Body, BodyError};

pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(crate) fn of_query(uri: &Uri) -> Self {
        Self::read(uri.query().unwrap_or_default().as_bytes(), &[])
    }

    pub(crate) fn of_request(uri: &Uri, body: Result<Body, BodyError>) -> Result<Self, BodyError> {
        Ok(Self::read(uri.query().unwrap_or_default().as_bytes(), &body?.bytes))
    }

    /// Those of the query come first.
    pub(crate) fn read(query: &[u8], form: &[u8]) -> Self {
        let pairs = [query, form].into_iter().flat_map(form_urlencoded::parse);
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// And others where these have none of that name.
    pub(crate) fn or(mut self, others: impl Iterator<Item = (String, String)>) -> Self {
        self.0.extend(others);
        self
    }

    /// The first of that name. Upper and lower case are the same: clients spell some names both ways.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let named = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }
}
