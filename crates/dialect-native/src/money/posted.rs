//! What most acts on money are answered with: the entry that was made, and the balance after it.

use access::Caller;
use dialect::App;
use engine::{Receipt, Seals};
use ledger::{Act, Amounts};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::view::string;
use crate::answer::Answer;
use crate::ids;
use crate::problem::Problem;
use crate::submit::{Intent, submit};
use crate::values::{Amount, Time};

/// An entry that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct Entry {
    id: String,
    amount: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// The balance after it: the payer's, where another pays; the one it left, where there are two.
    balance: After,
    time: Time,
}

/// A balance after an entry.
#[derive(Serialize, ToSchema)]
pub(crate) struct After {
    posted: Amount,
    held: Amount,
    credit_limit: Amount,
    available: Amount,
}

impl From<&Amounts> for After {
    fn from(amounts: &Amounts) -> Self {
        Self {
            posted: amounts.posted().into(),
            held: amounts.held.into(),
            credit_limit: amounts.credit().into(),
            available: amounts.available().into(),
        }
    }
}

impl Entry {
    pub(super) fn of(seals: &Seals, receipt: &Receipt) -> Result<Self, Problem> {
        use ledger::Event as E;
        let (amount, reference) = match &receipt.event {
            E::ToppedUp(it) | E::Withdrawn(it) | E::UsageCredited(it) => (it.amount, &it.reference),
            E::Adjusted { posting, .. } | E::Refunded { posting, .. } => (posting.amount, &posting.reference),
            E::CreditSet { change, reference, .. } => (*change, reference),
            E::Allocated { amount, reference, .. } | E::Transferred { amount, reference, .. } => {
                (*amount, reference)
            }
            _ => return Err(Problem::bug("money was answered by another event")),
        };
        let image = receipt.event.images().next();
        let (id, image) = ids::of_event(&receipt.event)
            .zip(image)
            .ok_or_else(|| Problem::bug("an entry without a balance"))?;
        Ok(Self {
            id: ids::print(seals, id),
            amount: amount.into(),
            reference: string(reference),
            balance: (&image.amounts).into(),
            time: receipt.time.into(),
        })
    }
}

/// Does an act on money, and answers with the entry that it made.
pub(crate) async fn post(
    app: &App,
    caller: &Caller,
    act: Act,
    intent: Intent,
) -> Result<Answer<Entry>, Problem> {
    let receipt = submit(app, caller, act, intent).await?;
    Ok(Answer::created(Entry::of(app.engine.seals(), &receipt)?).replayed(receipt.repeated))
}
