//! What no source says, and what was chosen. To change one, change it here.
//!
//! | unknown | chosen |
//! |---|---|
//! | largest number of subaccounts | none |
//! | what a suspended account may read of itself | nothing: [`SUSPENDED_MAY_READ`] |
//! | transfers with a suspended subaccount | the primary may make them |
//! | transfers with a shared subaccount | refused: it has nothing of its own |
//! | length of `reference` | [`REFERENCE_CHARACTERS_MAX`] |
//! | bounds of `start_date` and `end_date` | inclusive, in whole seconds, as `created_at` prints them |
//! | `start_date` missing | 422, as if malformed |
//! | an unknown `subaccount` in a filter | matches nothing |
//! | `{}` or an unchanged value in PATCH | 200, nothing is written |
//! | detail of an insufficient balance | [`INSUFFICIENT_BALANCE`] |
//! | decimals in `amount` | nine, exactly; more are refused |
//! | zero, negative and missing `amount` | the words for a wrong type |
//! | `get-balance` of a shared subaccount | the payer's balance |
//! | a subaccount that calls the Subaccounts API | 404 for other keys, 403 for its own |
//! | credentials in several places | Basic wins |
//! | a new secret that is active already | refused like a weak one, with words of its own |
//! | more than two secrets, made elsewhere | all are listed; a further one is refused |
//! | order of secrets | oldest first |
//! | `get-balance/{api_key}/{api_secret}` | answered: old clients ask so |
//! | longest list of transfers | [`TRANSFERS_LISTED_MAX`], then 422 on `start_date` |

pub(crate) const SUSPENDED_MAY_READ: bool = false;
pub(crate) const NAME_CHARACTERS_MAX: usize = 80;
pub(crate) const REFERENCE_CHARACTERS_MAX: usize = 1024;
pub(crate) const INSUFFICIENT_BALANCE: &str = "Insufficient Balance";
pub(crate) const TRANSFERS_LISTED_MAX: usize = 100_000;
/// Subaccounts looked at in one turn of the book: lists do not hold up charges.
pub(crate) const SUBACCOUNTS_PER_LOOK: usize = 1000;
