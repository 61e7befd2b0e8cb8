//! A server around a router, on a free port: no more than what handlers rely on. What the real one does
//! besides (limits, TLS, draining) is tested where it is made.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use dialect::{Arrival, Once, REQUEST_ID, RequestId};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Client;

/// Serves until it is dropped.
pub struct TestServer {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl TestServer {
    pub async fn start(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let router = router.layer(from_fn(arrive));
        let serving = tokio::spawn(async move {
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            axum::serve(listener, service).await.expect("serving does not end");
        });
        Self { address, serving }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn client(&self) -> Client {
        Client::new(self.address)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Every request has an id, and its answer says which.
async fn arrive(request: Request, next: Next) -> Response {
    let request_id = RequestId::of(request.headers());
    let arrival = Arrival {
        request_id: request_id.clone(),
        address: request.extensions().get::<ConnectInfo<SocketAddr>>().map(|it| it.0.ip()),
        body_bytes_max: Arrival::BODY_BYTES_MAX,
        body_time_max: Arrival::BODY_TIME_MAX,
        // As another node would say it.
        once: request.headers().get("bursar-once").and_then(|it| Some(Once(it.to_str().ok()?.to_owned()))),
    };
    let mut response = arrival.around(next.run(request)).await;
    response.headers_mut().insert(REQUEST_ID, request_id.header_value());
    response
}
