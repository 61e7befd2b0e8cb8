//! The server as clients meet it: over HTTP on loopback, with accounts, credit limits, keys and
//! authentication, every charge durable before its answer.

mod batch;
mod credentials;
mod echo;
mod latency;
mod nodes;
mod postgres;
mod reports;
mod server;
mod single;
mod sql;
mod wire;

pub use batch::Arguments as BatchArguments;
pub use batch::run as batch;
pub use credentials::Arguments as CredentialsArguments;
pub use credentials::run as credentials;
pub use echo::run as echo;
pub use latency::Arguments as LatencyArguments;
pub use latency::run as latency;
pub use nodes::Arguments as NodesArguments;
pub use nodes::run as nodes;
pub use postgres::Arguments as PostgresArguments;
pub use postgres::run as postgres;
pub use reports::Arguments as ReportsArguments;
pub use reports::run as reports;
pub use single::Arguments as SingleArguments;
pub use single::run as single;
