//! The subcommands, one file each.

mod account;
mod adopt;
mod allocate;
mod audit;
mod balance;
mod charge;
mod completions;
mod config;
mod credit;
mod database;
mod demo;
mod entries;
mod hold;
mod journal;
mod member;
mod migrate;
mod numbers;
mod org;
mod password;
mod permissions;
mod reload;
mod reporting;
mod sandbox;
mod second_factor;
mod secrets;
mod serve;
mod settings;
mod sign_in;
mod sign_in_provider;
mod token;
mod top_up;
mod transfer;
mod usage;
mod user;
mod verify;

use clap::Subcommand;

use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(serve::Serve),
    Verify(verify::Verify),
    Journal(journal::Journal),
    Migrate(migrate::Migrate),
    Adopt(adopt::Adopt),
    Reporting(reporting::Reporting),
    Demo(demo::Demo),
    Account(account::Account),
    Balance(balance::Balance),
    Entries(entries::Entries),
    Usage(usage::Usage),
    Charge(charge::Charge),
    Hold(hold::Hold),
    TopUp(top_up::TopUp),
    Transfer(transfer::Transfer),
    Credit(credit::Credit),
    Allocate(allocate::Allocate),
    Reload(reload::Reload),
    Secrets(secrets::Secrets),
    Numbers(numbers::Numbers),
    Settings(settings::Settings),
    Org(org::Org),
    User(user::User),
    SignIn(sign_in::SignIn),
    SignOut(sign_in::SignOut),
    Accept(sign_in::Accept),
    Password(password::Password),
    SecondFactor(second_factor::SecondFactor),
    #[command(name = "whoami")]
    WhoAmI(sign_in::WhoAmI),
    SignInProvider(sign_in_provider::SignInProvider),
    Invite(member::Invite),
    Member(member::Member),
    Permissions(permissions::Permissions),
    Audit(audit::Audit),
    Token(token::Token),
    Sandbox(sandbox::Sandbox),
    Config(config::Config),
    #[command(visible_alias = "completion")]
    Completions(completions::Completions),
}

impl Command {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Serve(command) => command.run(),
            Self::Verify(command) => command.run(),
            Self::Journal(command) => command.run(),
            Self::Migrate(command) => command.run(),
            Self::Adopt(command) => command.run(),
            Self::Reporting(command) => command.run(),
            Self::Demo(command) => command.run(),
            Self::Account(command) => command.run(),
            Self::Balance(command) => command.run(),
            Self::Entries(command) => command.run(),
            Self::Usage(command) => command.run(),
            Self::Charge(command) => command.run(),
            Self::Hold(command) => command.run(),
            Self::TopUp(command) => command.run(),
            Self::Transfer(command) => command.run(),
            Self::Credit(command) => command.run(),
            Self::Allocate(command) => command.run(),
            Self::Reload(command) => command.run(),
            Self::Secrets(command) => command.run(),
            Self::Numbers(command) => command.run(),
            Self::Settings(command) => command.run(),
            Self::Org(command) => command.run(),
            Self::User(command) => command.run(),
            Self::SignIn(command) => command.run(),
            Self::SignOut(command) => command.run(),
            Self::Accept(command) => command.run(),
            Self::Password(command) => command.run(),
            Self::SecondFactor(command) => command.run(),
            Self::WhoAmI(command) => command.run(),
            Self::SignInProvider(command) => command.run(),
            Self::Invite(command) => command.run(),
            Self::Member(command) => command.run(),
            Self::Permissions(command) => command.run(),
            Self::Audit(command) => command.run(),
            Self::Token(command) => command.run(),
            Self::Sandbox(command) => command.run(),
            Self::Config(command) => command.run(),
            Self::Completions(command) => command.run(),
        }
    }
}
