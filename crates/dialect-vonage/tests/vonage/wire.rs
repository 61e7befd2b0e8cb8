use std::path::Path;

use testkit::Answer;
use testkit::wire::Wire;

fn made(answer: &Answer) -> (String, String) {
    let body = answer.json();
    let member = |name: &str| body[name].as_str().expect("a created account has one").to_owned();
    (member("api_key"), member("secret"))
}

#[tokio::test]
async fn recorded_exchanges_stay_as_they_are() {
    let wire = Wire { router: dialect_vonage::router, made };
    wire.check_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("wire")).await;
}
