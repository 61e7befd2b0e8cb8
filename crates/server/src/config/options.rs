//! The table of options.

use toml::Value;

/// One option, wherever it is given.
#[derive(Debug)]
pub struct Setting {
    pub key: &'static str,
    /// As it stands in the file. An empty text means: not set.
    pub default: &'static str,
    pub about: &'static str,
}

pub const OPTIONS: &[Setting] = &[
    Setting {
        key: "data",
        default: r#""bursar-data""#,
        about: "The directory that holds the books, keys and certificates. Back it up; nothing else matters.",
    },
    Setting {
        key: "listen",
        default: r#""127.0.0.1:8080""#,
        about: "Host and port to listen on. Port 0 takes a free one and prints it.",
    },
    Setting {
        key: "journal",
        default: r#""""#,
        about: "URL of a journal in a PostgreSQL-compatible database: postgres://user@host-a,host-b/database,\n\
                with sslmode and sslrootcert. Passwords belong into PGPASSWORD or a password file.\n\
                Empty: files in the data directory.",
    },
    Setting {
        key: "local_copy_mb",
        default: "256",
        about: "Megabytes on this disk, for each book of that database, in which a copy of its newest groups is\n\
                kept, so that history is at hand. It may be deleted at any time. 0: none.",
    },
    Setting {
        key: "migrate",
        default: "false",
        about: "Bring the tables of that database to what this release knows, if they are older.",
    },
    Setting {
        key: "reporting",
        default: r#""""#,
        about: "URL of a database, the journal's or another, in which tables for reports are kept up (schema\n\
                `reporting`). Charges never wait for them. Empty: none.",
    },
    Setting {
        key: "node_listen",
        default: r#""""#,
        about: "Host and port for the other nodes on the same database. Whoever does not lead forwards there.\n\
                Empty: this server answers only while it leads, and else stands by.",
    },
    Setting {
        key: "node_advertise",
        default: r#""""#,
        about: "Host and port at which the other nodes reach node_listen, where that is another.",
    },
    Setting {
        key: "followers",
        default: "true",
        about: "Keep the state of each book that another node leads: this node takes it over at once, and answers\n\
                reads that may be a little old. It takes as much memory as leading the book does.",
    },
    Setting {
        key: "sandbox",
        default: "false",
        about: "A marked test server: `bursar sandbox advance 31d` lets time pass.\n\
                Refused on a data directory that has lived without it.",
    },
    Setting {
        key: "confirm_clock",
        default: "false",
        about: "Believe the clock even if the data directory has rested for more than a week, once the operator\nhas looked at it: book time never goes back.",
    },
    Setting {
        key: "key_hours",
        default: "24",
        about: "Hours for which idempotency keys are remembered, up to 720. For each million keyed charges a day,\n\
                a day of keys takes about 2.5 MB of memory and 27 MB of disk; the start says what that comes to.",
    },
    Setting {
        key: "tls_certificate",
        default: r#""""#,
        about: "Certificate chain, PEM, the server's own first. Empty: no TLS.",
    },
    Setting { key: "tls_key", default: r#""""#, about: "Private key of the certificate, PEM." },
    Setting {
        key: "tls_self_signed",
        default: "false",
        about: "Make a certificate for development and keep it in the data directory (tls/certificate.pem),\n\
                where clients can pick it up to trust it.",
    },
    Setting {
        key: "tls_names",
        default: "[]",
        about: "Names and addresses of the development certificate, besides localhost, 127.0.0.1 and ::1.",
    },
    Setting {
        key: "public_url",
        default: r#""""#,
        about: "Where people reach this server: https://bursar.example. Links in letters begin with it, and with\n\
                https cookies are bound to TLS. Empty: letters hold bare links.",
    },
    Setting {
        key: "mail_from",
        default: r#""""#,
        about: "The sender of letters: Bursar <bursar@seller.example>.",
    },
    Setting {
        key: "smtp_url",
        default: r#""""#,
        about: "The relay that takes letters: smtps://user@relay.example, or smtp://relay:587?tls=required.\n\
                The password is in smtp_password_file or in BURSAR_SMTP_PASSWORD. Empty: no mail is sent, and links\n\
                are shown to whoever made them.",
    },
    Setting { key: "smtp_password_file", default: r#""""#, about: "A file that holds the relay's password." },
    Setting {
        key: "mail_directory",
        default: r#""""#,
        about: "For development: letters become files (.eml) in this directory. Not together with smtp_url.",
    },
    Setting {
        key: "outgoing_tls_roots",
        default: r#""""#,
        about: "Root certificates, PEM, that are trusted besides those of the web by what this server asks: companies'\n\
                sign-in providers and the mail relay. The database has sslrootcert in its URL.",
    },
    Setting { key: "body_bytes_max", default: "8388608", about: "Larger request bodies are refused." },
    Setting { key: "batch_max", default: "8192", about: "Charges in one batch; more are refused." },
    Setting {
        key: "queue_max",
        default: "65536",
        about: "Commands that may wait for the journal; beyond it the server says that it is overloaded.",
    },
    Setting {
        key: "connections_max",
        default: "10000",
        about: "Open connections; further ones wait in the backlog of the socket.",
    },
    Setting {
        key: "request_timeout_ms",
        default: "30000",
        about: "A request that is not answered by then is given up. Half of the time may go into sending its body.",
    },
    Setting {
        key: "header_timeout_ms",
        default: "10000",
        about: "A connection that is open, or has begun a request, for so long without a complete request head\n\
                is closed.",
    },
    Setting {
        key: "idle_timeout_ms",
        default: "75000",
        about: "A connection without a request is closed after this time.",
    },
    Setting {
        key: "drain_pause_ms",
        default: "0",
        about: "After SIGTERM, how long to go on letting new connections in while /readyz says 503 already.\n\
                0 suits clients that connect directly: they see at once that this server is gone. Behind a load\n\
                balancer that probes /readyz, set a little more than the probes take to notice (interval times\n\
                failures, some 5000 to 15000), or it goes on sending to a closed port meanwhile.",
    },
    Setting {
        key: "drain_timeout_ms",
        default: "30000",
        about: "After SIGTERM, how long to go on answering what was accepted.",
    },
    Setting { key: "metrics", default: "true", about: "Serve /metrics in the text form of Prometheus." },
    Setting {
        key: "log_format",
        default: r#""text""#,
        about: "Form of the log on standard error: json or text.",
    },
    Setting {
        key: "log_level",
        default: r#""info""#,
        about: "error, warn, info, debug (a line per request) or trace; also per part: \"info,server=debug\".",
    },
    Setting {
        key: "log_slow_ms",
        default: "1000",
        about: "A request that took longer is logged as a warning. 0: none is.",
    },
];

impl Setting {
    /// `body-bytes-max`, without the dashes in front.
    pub fn flag(&self) -> String {
        self.key.replace('_', "-")
    }

    /// `BURSAR_BODY_BYTES_MAX`
    pub fn variable(&self) -> String {
        format!("BURSAR_{}", self.key.to_ascii_uppercase())
    }

    /// Whether a flag of this name may stand without a value.
    pub fn is_switch(&self) -> bool {
        matches!(self.default_value(), Value::Boolean(_))
    }

    pub(crate) fn default_value(&self) -> Value {
        let line = format!("value = {}", self.default);
        let mut table: toml::Table = line.parse().expect("a test reads every default");
        table.remove("value").expect("the line sets it")
    }
}
