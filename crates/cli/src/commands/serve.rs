use std::path::PathBuf;
use std::sync::Arc;

use access::Secret;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use dialect::Limits;
use engine::BookNumber;
use server::{
    BookMetrics, BookOptions, Config, Current, MailMetrics, Nodes, OPTIONS, OpenBook, People, Readiness,
    Server,
};

use crate::failure::Failure;

/// Run the server.
///
/// Options are taken from these flags, then from BURSAR_… variables, then from the configuration file.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The configuration file; `bursar config` prints one.
    #[arg(long, env = "BURSAR_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
}

impl Serve {
    pub(crate) fn run(self) -> Result<(), Failure> {
        // Variables that are not text cannot be ours.
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let config =
            Config::load(self.config.as_deref(), environment, self.flags.0).map_err(Failure::usage)?;
        server::telemetry::init(&config).map_err(Failure::usage)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(Failure::fault("cannot start threads"))?;
        runtime.block_on(serve(config))
    }
}

/// Of a sealed key.
const KEY_MEMORY_BYTES: f64 = 2.5;
const KEY_DISK_BYTES: f64 = 27.0;

async fn serve(config: Config) -> Result<(), Failure> {
    let stop = server::stop_signal().map_err(Failure::fault("cannot start"))?;
    let options = BookOptions {
        journal: config.journal.clone(),
        local_copy_mb: config.local_copy_mb,
        migrate: config.migrate,
        reporting: config.reporting.clone(),
        confirm_clock: config.confirm_clock,
        sandbox: config.sandbox,
        key_hours: Some(config.key_hours),
        segment_bytes: None,
    };
    // What the measured bytes of a key come to: a filter and an index in memory, an entry on the disk.
    tracing::info!(
        hours = config.key_hours,
        memory_mb = f64::from(config.key_hours) / 24.0 * KEY_MEMORY_BYTES,
        disk_mb = f64::from(config.key_hours) / 24.0 * KEY_DISK_BYTES,
        "idempotency keys are remembered; for a million keyed charges a day they take this much"
    );
    if options.journal.is_some() {
        return serve_among_nodes(config, options, stop).await;
    }
    let people = people(&config)?;
    let book = OpenBook::open(&config.data, &options, operator_token()?)
        .await
        .map_err(Failure::fault("cannot open the books"))?;
    tracing::info!(
        accounts = book.engine.directory().accounts(),
        replayed = book.recovered.events,
        snapshot = book.recovered.snapshot.is_some(),
        "the books are open"
    );
    if book.sandbox.is_some() {
        tracing::warn!("this is a sandbox: its clock can be moved, and nothing in it is money");
    }
    book.token.as_ref().inspect(|token| show(token));
    let limits = Limits { batch_max: config.batch_max };
    let app = people.app(&book.engine, limits, book.sandbox.clone());
    let server = Server::new(config);
    let current = Current::default();
    current.set(BookNumber::FIRST, Some(&book));
    server.metrics().register(|registry| {
        BookMetrics::register(registry, &current);
        MailMetrics::register(registry, &app.mailer);
    });
    server.health().set(Readiness::Ready);
    tokio::spawn(server::note_uses(Arc::downgrade(&app)));
    tokio::spawn(server::watch(book.engine.clone(), server.health().clone()));
    tokio::spawn(server::note_failures(Arc::downgrade(&app)));
    tokio::spawn(server::deliver_letters(Arc::downgrade(&app)));
    let served = server.run(server::router(app.clone()), stop).await;
    // Only days of last uses: what cannot be written down is not worth a failure.
    drop(app.access.last_use().write_down(&book.engine).await);
    drop(app);
    // What was answered is durable already; what still waits is answered or refused, then the directory closes.
    let closed = tokio::task::spawn_blocking(|| book.close()).await;
    served.map_err(Failure::fault("cannot serve"))?;
    closed.map_err(Failure::fault("cannot close the books"))
}

/// Over a database there may be other servers: one of them leads.
async fn serve_among_nodes(
    config: Config,
    options: BookOptions,
    stop: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let limits = Limits { batch_max: config.batch_max };
    let people = people(&config)?;
    let mailer = people.mailer.clone();
    let nodes = Nodes::join(Server::new(config), options, operator_token()?, limits, people, show)
        .await
        .map_err(Failure::fault("cannot open the books"))?;
    nodes.server().metrics().register(|registry| {
        BookMetrics::register(registry, nodes.current());
        MailMetrics::register(registry, &mailer);
        nodes.standings().register(registry);
    });
    nodes.serve(stop).await.map_err(Failure::fault("cannot serve"))
}

fn people(config: &Config) -> Result<People, Failure> {
    People::new(config, std::env::var(SMTP_PASSWORD).ok()).map_err(Failure::usage)
}

/// A token that this start made, unless the operator chose it.
fn show(token: &Secret) {
    if std::env::var_os(OPERATOR_TOKEN).is_none() {
        println!("operator token, shown this once: {}", token.expose());
    }
}

const SMTP_PASSWORD: &str = "BURSAR_SMTP_PASSWORD";
const OPERATOR_TOKEN: &str = "BURSAR_OPERATOR_TOKEN";
/// Below this a token could be guessed.
const OPERATOR_TOKEN_BYTES_MIN: usize = 16;

/// The operator's own choice of a token, if there is one.
fn operator_token() -> Result<Option<Secret>, Failure> {
    let Some(token) = std::env::var_os(OPERATOR_TOKEN) else { return Ok(None) };
    let token = token.into_string().ok().filter(|token| {
        (OPERATOR_TOKEN_BYTES_MIN..=256).contains(&token.len())
            && token.bytes().all(|byte| byte.is_ascii_graphic())
    });
    let wrong =
        || Failure::Usage(format!("{OPERATOR_TOKEN}: not one word of 16 to 256 printable characters"));
    token.map(Secret::given).map(Some).ok_or_else(wrong)
}

/// The flags that were given, by key: one for each option of the server, made from its table.
#[derive(Debug)]
struct Flags(Vec<(String, String)>);

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        command.args(OPTIONS.iter().map(|option| {
            let about = format!("{} [default: {}]", option.about.replace('\n', " "), option.default);
            let flag = Arg::new(option.key).long(option.flag()).help(about);
            if option.is_switch() {
                flag.value_name("BOOL").num_args(0..=1).require_equals(true).default_missing_value("true")
            } else {
                flag.value_name("VALUE")
            }
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = OPTIONS
            .iter()
            .filter(|option| matches.value_source(option.key) == Some(ValueSource::CommandLine));
        let pair = given.filter_map(|option| {
            matches.get_one::<String>(option.key).map(|value| (option.key.to_owned(), value.clone()))
        });
        Ok(Self(pair.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
