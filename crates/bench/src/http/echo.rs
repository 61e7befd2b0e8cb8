//! The baseline of single charges: the same stack, answering what it was sent.

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;

/// Serves until it is killed.
pub fn run() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads start");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        println!("listening on http://{}", listener.local_addr().expect("a bound address"));
        let router = Router::new().route("/{*path}", post(|body: Bytes| async move { body }));
        axum::serve(tokio_listener(listener), router).await.expect("it serves");
    });
}

fn tokio_listener(
    listener: tokio::net::TcpListener,
) -> impl axum::serve::Listener<Addr = std::net::SocketAddr> {
    use axum::serve::ListenerExt;
    listener.tap_io(|stream| stream.set_nodelay(true).expect("loopback knows nodelay"))
}
