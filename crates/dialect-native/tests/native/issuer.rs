//! A provider to sign in at: in this process, with keys of its own, and as wrong as a test wants it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreHmacKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKeyId, PkceCodeChallenge, PkceCodeVerifier, PrivateSigningKey};
use serde_json::{Value, json};
use testkit::basic;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub const CLIENT: &str = "bursar";
pub const SECRET: &str = "what-both-sides-know";

/// What a token is signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// A key of the provider, under its name.
    By(usize),
    /// A key that nobody knows, under the name of the first.
    Forged,
    /// A key that nobody knows, under its own name.
    Unknown,
    Nothing,
    /// The word that both sides know, in place of a key.
    Secret,
    /// The published key, in place of a word that both sides know.
    PublicKey,
}

/// Keys for tests alone.
const KEYS: [&str; 3] = [
    "MC4CAQAwBQYDK2VwBCIEIMEA1B1Tog+r1HmGBgZ3/Pf+a/UL7mLExmydRq+rYPz/",
    "MC4CAQAwBQYDK2VwBCIEIEcHrKQZxcYIacMbWM21v3zrwORmVnlKKEpMyChR4stv",
    "MC4CAQAwBQYDK2VwBCIEIKwREWXZrEG7/0AgYbkvZmDvch8Cq3TJ+Ltp+y/kFuWY",
];

struct Inner {
    url: String,
    /// How many of the keys are published.
    published: usize,
    describes: Option<String>,
    grants: HashMap<String, Grant>,
    asked_keys: usize,
}

struct Grant {
    challenge: String,
    redirect_uri: String,
    claims: Value,
    signed: Signed,
}

pub struct Issuer {
    pub url: String,
    inner: Arc<Mutex<Inner>>,
    serving: JoinHandle<()>,
}

impl Issuer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inner =
            Inner { url: url.clone(), published: 1, describes: None, grants: HashMap::new(), asked_keys: 0 };
        let inner = Arc::new(Mutex::new(inner));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(Arc::clone(&inner));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, inner, serving }
    }

    /// From now on it publishes this many keys.
    pub fn publish(&self, keys: usize) {
        self.inner.lock().unwrap().published = keys;
    }

    /// It says that it is another.
    pub fn describe_as(&self, url: &str) {
        self.inner.lock().unwrap().describes = Some(url.to_owned());
    }

    pub fn asked_keys(&self) -> usize {
        self.inner.lock().unwrap().asked_keys
    }

    /// Somebody signs in there, sent by `location`: where their browser is sent back to, as a path of ours.
    pub fn sign_in(&self, location: &str, signed: Signed, change: impl FnOnce(&mut Value)) -> String {
        let query = location.split_once('?').unwrap().1;
        let query: HashMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!((query["client_id"].as_str(), query["response_type"].as_str()), (CLIENT, "code"));
        assert!(query["scope"].split(' ').any(|scope| scope == "openid"), "{}", query["scope"]);
        let mut claims = json!({
            "iss": self.url,
            "aud": CLIENT,
            "sub": "s-1",
            "iat": 1_700_000_000,
            "exp": 4_000_000_000_u64,
            "nonce": query["nonce"],
            "email": "ann@acme.example",
            "email_verified": true,
        });
        change(&mut claims);
        let mut inner = self.inner.lock().unwrap();
        let code = format!("code-{}", inner.grants.len());
        let grant = Grant {
            challenge: query["code_challenge"].clone(),
            redirect_uri: query["redirect_uri"].clone(),
            claims,
            signed,
        };
        inner.grants.insert(code.clone(), grant);
        let state: String = form_urlencoded::byte_serialize(query["state"].as_bytes()).collect();
        let path = query["redirect_uri"].strip_prefix("http://bursar.test").unwrap();
        format!("{path}?code={code}&state={state}")
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn describe(State(inner): State<Arc<Mutex<Inner>>>) -> Json<Value> {
    let inner = inner.lock().unwrap();
    let url = &inner.url;
    Json(json!({
        "issuer": inner.describes.as_ref().unwrap_or(url),
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // More than it should: what is believed is for the other side to say.
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
    }))
}

async fn keys(State(inner): State<Arc<Mutex<Inner>>>) -> Json<Value> {
    let mut inner = inner.lock().unwrap();
    inner.asked_keys += 1;
    let published = (0..inner.published).map(|place| json!(key(place, &name(place)).as_verification_key()));
    Json(json!({"keys": published.collect::<Vec<_>>()}))
}

async fn token(
    State(inner): State<Arc<Mutex<Inner>>>,
    headers: HeaderMap,
    Form(asked): Form<HashMap<String, String>>,
) -> Response {
    let no = |why: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": why}))).into_response();
    if headers.get(header::AUTHORIZATION).is_none_or(|it| it != basic(CLIENT, SECRET).as_str()) {
        return no("invalid_client");
    }
    // A code is good for one time.
    let Some(grant) = inner.lock().unwrap().grants.remove(&asked["code"]) else { return no("invalid_grant") };
    let verifier = PkceCodeVerifier::new(asked["code_verifier"].clone());
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
    if challenge.as_str() != grant.challenge || asked["redirect_uri"] != grant.redirect_uri {
        return no("invalid_grant");
    }
    let token = json!({
        "access_token": "a", "token_type": "Bearer", "id_token": id_token(&grant.claims, grant.signed),
    });
    Json(token).into_response()
}

fn name(place: usize) -> String {
    format!("key-{place}")
}

fn key(place: usize, name: &str) -> CoreEdDsaPrivateSigningKey {
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", KEYS[place]);
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new(name.to_owned()))).unwrap()
}

fn id_token(claims: &Value, signed: Signed) -> String {
    let (algorithm, name) = match signed {
        Signed::By(place) => ("EdDSA", name(place)),
        Signed::Forged => ("EdDSA", name(0)),
        Signed::Unknown => ("EdDSA", name(2)),
        Signed::Nothing => ("none", name(0)),
        Signed::Secret | Signed::PublicKey => ("HS256", name(0)),
    };
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", encode(&json!({"alg": algorithm, "kid": name})), encode(claims));
    let hmac = |word: &[u8]| {
        CoreHmacKey::new(word).sign(&CoreJwsSigningAlgorithm::HmacSha256, text.as_bytes()).unwrap()
    };
    let edwards =
        |place: usize| key(place, &name).sign(&CoreJwsSigningAlgorithm::EdDsa, text.as_bytes()).unwrap();
    let signature = match signed {
        Signed::By(place) => edwards(place),
        Signed::Forged | Signed::Unknown => edwards(2),
        Signed::Nothing => Vec::new(),
        Signed::Secret => hmac(SECRET.as_bytes()),
        Signed::PublicKey => {
            let public = json!(key(0, &name).as_verification_key());
            hmac(&URL_SAFE_NO_PAD.decode(public["x"].as_str().unwrap()).unwrap())
        }
    };
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}
