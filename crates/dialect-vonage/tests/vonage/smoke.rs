use testkit::{TestBook, TestServer};

#[tokio::test]
async fn smoke() {
    let book = TestBook::new().await;
    let partner = book.open_primary("Partner Ltd", 100).await;
    let server = TestServer::start(dialect_vonage::router(book.app())).await;
    let client = server.client().with_basic(&partner.key, &partner.secret);
    let base = format!("/accounts/{}", partner.key);
    let made = client
        .post(&format!("{base}/subaccounts"), r#"{"name":"Tenant","use_primary_account_balance":false}"#)
        .await;
    println!("{made:?}");
    let sub = made.json()["api_key"].as_str().unwrap().to_owned();
    for path in ["credit-transfers", "balance-transfers"] {
        let body = format!(r#"{{"from":"{}","to":"{sub}","amount":40.5,"reference":"x"}}"#, partner.key);
        println!("{:?}", client.post(&format!("{base}/{path}/"), &body).await);
        println!("{:?}", client.get(&format!("{base}/{path}?start_date=1970-01-01T00:00:00Z")).await);
    }
    println!("{:?}", client.patch(&format!("{base}/subaccounts/{sub}"), r#"{"suspended":true}"#).await);
    println!("{:?}", client.get(&format!("{base}/subaccounts")).await);
    println!("{:?}", client.get("/account/get-balance").await);
    println!("{:?}", server.client().get("/account/get-balance").await);
    println!("{:?}", client.send("DELETE", &format!("{base}/subaccounts"), "").await);
    println!("{:?}", client.send("DELETE", &format!("{base}/x"), "").await);
}
