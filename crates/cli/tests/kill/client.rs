//! Requests whose connection may break at any moment.

use serde_json::Value;
use ureq::http::Response;
use ureq::typestate::WithBody;
use ureq::{Agent, Body, RequestBuilder};

use crate::served::TOKEN;

pub struct Client {
    agent: Agent,
    url: String,
}

/// Nobody knows whether it was done.
#[derive(Debug)]
pub struct Lost(
    #[expect(dead_code, reason = "shown when a request is lost that must not be")] pub ureq::Error,
);

impl Client {
    pub fn new(url: &str) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).build();
        Self { agent: config.into(), url: url.to_owned() }
    }

    pub fn get(&self, path: &str) -> Value {
        let request = self.agent.get(format!("{}/api/v1{path}", self.url));
        let mut response = request.header("authorization", format!("Bearer {TOKEN}")).call().unwrap();
        serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap()
    }

    /// One JSON value, for a request that succeeds or is lost; and whether it was done before.
    pub fn post(&self, path: &str, key: &str, body: Option<&Value>) -> Result<(Value, bool), Lost> {
        let request = self.request(path, Some(key));
        let response = match body {
            Some(body) => request.header("content-type", "application/json").send(body.to_string()),
            None => request.send_empty(),
        };
        let (text, replayed) = read(path, response)?;
        Ok((serde_json::from_str(&text).unwrap(), replayed))
    }

    /// Many charges, each with its key.
    pub fn batch(&self, lines: &[Value]) -> Result<Vec<Value>, Lost> {
        let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let request = self.request("/charges", None).header("content-type", "application/x-ndjson");
        let (text, _) = read("/charges", request.send(body))?;
        Ok(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    fn request(&self, path: &str, key: Option<&str>) -> RequestBuilder<WithBody> {
        let request = self.agent.post(format!("{}/api/v1{path}", self.url));
        let request = request.header("authorization", format!("Bearer {TOKEN}"));
        match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        }
    }
}

fn read(path: &str, response: Result<Response<Body>, ureq::Error>) -> Result<(String, bool), Lost> {
    let mut response = response.map_err(Lost)?;
    // An answer that was cut short is none.
    let text = response.body_mut().read_to_string().map_err(Lost)?;
    assert!(response.status().is_success(), "{path}: {} {text}", response.status());
    Ok((text, response.headers().contains_key("idempotent-replayed")))
}
