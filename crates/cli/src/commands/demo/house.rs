//! A server of the demo's own: in this process, on a fresh directory, with everything a real one has.

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dialect::{App, Limits};
use server::{BookOptions, Config, OpenBook, Readiness, Server};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::commands::verify::{self, NotVerified, Verified};
use crate::failure::Failure;

pub(super) struct House {
    runtime: Runtime,
    directory: TempDir,
    book: OpenBook,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    pub(super) url: String,
    token: String,
    pub(super) token_file: PathBuf,
}

impl House {
    pub(super) fn open() -> Result<Self, Failure> {
        /// Small, so that preparing segments does not disturb what is measured.
        const SEGMENT_BYTES: u64 = 16 << 20;
        let directory = tempfile::Builder::new().prefix("bursar-demo-").tempdir();
        let directory = directory.map_err(Failure::fault("cannot make a temporary directory"))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(Failure::fault("cannot start threads"))?;
        let data = directory.path().join("data");
        let options = BookOptions { segment_bytes: Some(SEGMENT_BYTES), ..BookOptions::default() };
        let book = runtime.block_on(OpenBook::open(&data, &options, None));
        let book = book.map_err(Failure::fault("cannot open the books"))?;
        let token = book.token.as_ref().map(|token| token.expose().to_owned()).unwrap_or_default();
        let token_file = directory.path().join("token");
        write_secret(&token_file, &token).map_err(Failure::fault("cannot write the token"))?;

        let config = Config { data, listen: "127.0.0.1:0".to_owned(), ..Config::default() };
        let app = App::new(book.engine.clone(), Limits { batch_max: config.batch_max });
        let server = Server::new(config);
        server.health().set(Readiness::Ready);
        let listening = runtime.block_on(server.bind(server::router(Arc::new(app))));
        let listening = listening.map_err(Failure::fault("cannot serve"))?;
        let url = listening.url().to_owned();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = runtime.spawn(listening.serve(async move { _ = stopped.await }));
        Ok(Self { runtime, directory, book, stop, serving, url, token, token_file })
    }

    /// With connections of its own.
    pub(super) fn client(&self) -> Client {
        Client::of(&self.url, &self.token)
    }

    /// Serves on until the process is told to stop.
    pub(super) fn keep(&self) -> Result<(), Failure> {
        let stop = async {
            let stop = server::stop_signal().map_err(Failure::fault("cannot wait for signals"))?;
            stop.await;
            Ok(())
        };
        self.runtime.block_on(stop)
    }

    /// Stops as a server does, and re-derives from the directory what it left.
    pub(super) fn close(self) -> Result<Verified, Failure> {
        let Self { runtime, directory, book, stop, serving, .. } = self;
        _ = stop.send(());
        runtime.block_on(serving).map_err(Failure::fault("the server did not end well"))?;
        book.close();
        drop(runtime);
        let verified = verify::verify(&directory.path().join("data")).map_err(|failed| match failed {
            NotVerified::Failure(failure) => failure,
            NotVerified::Damaged(damage) => Failure::Fault {
                doing: "the directory does not hold".to_owned(),
                source: format!("{damage:?}").into(),
            },
        })?;
        directory.close().map_err(Failure::fault("cannot remove the temporary directory"))?;
        Ok(verified)
    }
}

/// Readable by its owner alone.
fn write_secret(path: &Path, secret: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{secret}")
}
