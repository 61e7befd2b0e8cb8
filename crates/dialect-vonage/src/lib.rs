//! The Subaccounts API of Vonage, spoken by unmodified clients, and the balance of its Account API.
//!
//! The one idea: this dialect is a translation. It decides nothing about money; it reads what a client
//! means, asks the books, and says the answer or the refusal in the vendor's words.
//!
//! | theirs | ours |
//! |---|---|
//! | primary account | a root account whose credentials may open children |
//! | subaccount | its managed child; depth two and unmanaged children do not exist here |
//! | API key | [`engine::Seals::account_key`], eight hex digits |
//! | `balance` | posted |
//! | `credit_limit` | minus credit: zero or negative |
//! | `use_primary_account_balance` | shared funding; `balance` and `credit_limit` are then null |
//! | `suspended` | any restriction: suspended, frozen, below a frozen account, closed |
//! | balance transfer | [`ledger::Act::Transfer`], between primary and subaccount only |
//! | credit transfer | [`ledger::Act::Allocate`]: given to a subaccount, or returned by it |
//! | transfer id | the sealed name of the entry on the balance it left, as a UUID |
//! | not provisioned | `may_open_children` is not set |
//!
//! Opening a subaccount with a secret of the caller's own is one command. A secret that we make is
//! bound to the API key, which is known only once the account is open, so it is a second command. Both
//! are sent from a task of their own: a client that hangs up half-way does not stop it. When the second
//! one fails the answer is an error that names the account, which is then listed and has no secret.
//!
//! # Where their sources contradict each other
//!
//! | topic | sides | taken |
//! |---|---|---|
//! | id of a transfer | `credit_transfer_id`, `balance_transfer_id` · `id` | both, equal, a UUID |
//! | list of credit transfers | `credit-transfers` · `credit_transfers` | underscore |
//! | `total_balance`, `total_credit_limit`, `_links`, `masterAccountId` | absent · recorded | sent |
//! | members of `primary_account` | as a subaccount · two fewer | two fewer |
//! | sign of `credit_limit` | negative · positive in fixtures | zero or negative |
//! | status of insufficient credit | 422 · 403 | 403 |
//! | base of `type` | `…/subaccounts#` · `…/account/subaccounts#` | the former |
//! | code of a refused transfer | `valid-transfers` · `invalid-transfers` | the former |
//! | `number` of a transfer | number · string | either is read, a string is written |
//! | `amount` | number · string | number only |
//! | created resource | 201 · 200 | 200 |
//! | `/account/*` credentials | query · Basic | either; Basic wins |
//! | `/account/*` errors | error-code pair · problem | both in one body |
//! | third secret | 400 · 403 `add-excess-secret` · 403 `maximum-secrets-allowed` | the second |
//! | invalid secret | 400 · 422 | 400 |
//! | unknown key, secrets | `… not found` · `… does not exist, or you do not have access` | the latter |
//!
//! What no source says is chosen in `choices.rs`.
//!
//! Left out: answers in XML.

mod account_api;
mod body;
mod caller;
mod choices;
mod create_secret;
mod create_subaccount;
mod error;
mod get_balance;
mod get_secret;
mod get_subaccount;
mod list_balance_transfers;
mod list_credit_transfers;
mod list_secrets;
mod list_subaccounts;
mod members;
mod modify_subaccount;
mod once;
mod parameters;
mod revoke_secret;
mod router;
mod secrets;
mod settings;
mod top_up;
mod transfer;
mod transfer_balance;
mod transfer_credit;
mod transfer_log;
mod transfer_number;
mod view;
mod whose;

pub use error::unavailable;
pub use once::is_done_once;
pub use router::router;
pub use whose::whose;
