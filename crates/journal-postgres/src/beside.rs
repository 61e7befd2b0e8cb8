//! A session for what is kept beside the journal, in the same database or another: reports, say. None of
//! the journal's rules hold in it.

use tokio_postgres::Client;

use crate::error::DatabaseError;
use crate::tls::Tls;
use crate::url::Url;

impl Url {
    /// The first host that answers and may be written. The socket is served on the runtime this is called
    /// on, until the client is dropped.
    pub async fn connect(&self) -> Result<Client, DatabaseError> {
        let tls = Tls::new(&self.tls).map_err(|error| DatabaseError::NoHost(error.to_string()))?;
        let mut reasons = Vec::new();
        for (name, config) in &self.hosts {
            match writable(config, tls.clone()).await {
                Ok(client) => return Ok(client),
                Err(error) => reasons.push(format!("{name}: {error}")),
            }
        }
        Err(DatabaseError::NoHost(reasons.join("; ")))
    }
}

async fn writable(config: &tokio_postgres::Config, tls: Tls) -> Result<Client, DatabaseError> {
    let (client, connection) = config.connect(tls).await?;
    // It ends with an error when the client is dropped or the database goes: the client says so.
    tokio::spawn(async move { _ = connection.await });
    let row = client.query_one("SELECT current_setting('transaction_read_only')", &[]).await?;
    match row.get::<_, &str>(0) {
        "off" => Ok(client),
        _ => Err(DatabaseError::NoHost("read-only".to_owned())),
    }
}
