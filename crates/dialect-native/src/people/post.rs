//! Letters on their way: what waits in the book is written, tried, and settled there.
//!
//! At least once: a node that ends between the relay's yes and the book's leaves the letter to whoever leads
//! next, and it is sent a second time. Nothing is lost in silence: what is given up is an entry of the audit log.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use access::{RESET_SECS, invitation_link, reset_link};
use dialect::App;
use domain::Timestamp;
use engine::{Request, Unavailable};
use ledger::{
    About, Act, Actor, Command, EventRef, InvitationIndex, Ledger, PeopleAct, Posted, UserIndex,
    WaitingLetter,
};
use mail::{Letter, LetterError, Mailer, Waiting};
use tokio::task::JoinSet;

use super::letters;
use crate::accounts::view::string;

/// Behind each try that failed; the last one again and again.
const PAUSES_SECS: &[i64] = &[1, 10, 60, 300, 900];
/// A letter that no relay took by then is given up; a link to reset a password is over before.
const LIFE_SECS: i64 = 24 * 3600;
/// Letters that are tried at once.
const AT_ONCE_MAX: usize = 16;
/// Idle rounds keep what is shown of waiting letters current.
const ROUND_EVERY: Duration = Duration::from_secs(60);

/// Sends the letters of a book for as long as its dialects are served here.
pub async fn deliver_letters(app: Weak<App>) {
    let Some(first) = app.upgrade() else { return };
    let (mut postman, mut asked) = (Postman::default(), first.mailer.hear());
    let _shown = Shown { mailer: first.mailer.clone(), book: first.engine.seals().book().get() };
    drop(first);
    loop {
        let Some(app) = app.upgrade() else { return };
        let pause = match postman.round(&app).await {
            Ok(Some(secs)) => Duration::from_secs(secs).min(ROUND_EVERY),
            Ok(None) | Err(Unavailable::Overloaded) => ROUND_EVERY,
            Err(_) => return,
        };
        drop(app);
        // By time or by word: either way it is looked again. The word never ends before the mailer does.
        if let Ok(Err(_)) = tokio::time::timeout(pause, asked.changed()).await {
            return;
        }
    }
}

/// What waits is shown for as long as the book is led here.
struct Shown {
    mailer: Mailer,
    book: u8,
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.mailer.show_waiting(self.book, None);
    }
}

/// Remembers how often it tried; whoever comes next begins anew.
#[derive(Default)]
pub struct Postman {
    tried: HashMap<EventRef, Tried>,
}

#[derive(Clone, Copy)]
struct Tried {
    times: u32,
    next_at: Timestamp,
}

#[derive(Clone, Copy)]
enum Outcome {
    Settled(Posted),
    Again,
}

impl Postman {
    /// Tries what is due. In how many seconds something is due again; none where nothing waits.
    pub async fn round(&mut self, app: &Arc<App>) -> Result<Option<u64>, Unavailable> {
        let read = |ledger: &Ledger, now| {
            (now, ledger.letters().map(|(asked, it)| (asked, *it)).collect::<Vec<_>>())
        };
        let (now, waiting) = app.engine.read(read).await?;
        self.tried.retain(|asked, _| waiting.iter().any(|(known, _)| known == asked));
        show(app, now, &waiting, waiting.len());
        if !app.mailer.is_on() {
            return Ok(None);
        }
        let is_due = |asked: &EventRef| self.tried.get(asked).is_none_or(|tried| tried.next_at <= now);
        let due: Vec<_> =
            waiting.iter().filter(|(asked, _)| is_due(asked)).take(AT_ONCE_MAX).copied().collect();
        let mut sending = JoinSet::new();
        for (asked, letter) in due {
            let app = Arc::clone(app);
            sending.spawn(async move { (asked, letter, attempt(&app, letter, now).await) });
        }
        let mut settled = 0;
        while let Some(sent) = sending.join_next().await {
            // A bug in writing one letter does not hold up the others.
            let Ok((asked, letter, outcome)) = sent else { continue };
            let times = self.tried.get(&asked).map_or(0, |tried| tried.times) + 1;
            if let Some(posted) = self.note(app, asked, letter, outcome?, times, now) {
                settle(app, asked, posted, times).await?;
                self.tried.remove(&asked);
                settled += 1;
            }
        }
        let left = waiting.len() - settled;
        show(app, now, &waiting, left);
        let nexts = waiting.iter().filter_map(|(asked, _)| self.tried.get(asked)).map(|tried| tried.next_at);
        let next = nexts.min().map_or(0, |at| (at.micros_since(now).max(0) as u64).div_ceil(1_000_000));
        // More than one round takes goes on at once; a round that moved nothing does not.
        let goes_on = settled > 0 && waiting.len() > AT_ONCE_MAX;
        Ok((left > 0).then_some(if goes_on { 0 } else { next.max(1) }))
    }

    /// What is to be written down of a try, if anything.
    fn note(
        &mut self,
        app: &App,
        asked: EventRef,
        letter: WaitingLetter,
        outcome: Outcome,
        times: u32,
        now: Timestamp,
    ) -> Option<Posted> {
        let counters = app.mailer.counters();
        let posted = match outcome {
            Outcome::Settled(posted) => posted,
            Outcome::Again => {
                let pause = PAUSES_SECS.get(times as usize - 1).or(PAUSES_SECS.last()).copied().unwrap_or(1);
                let next_at = now.plus_secs(pause);
                if next_at < letter.asked_at.plus_secs(LIFE_SECS) {
                    counters.retried.fetch_add(1, Ordering::Relaxed);
                    self.tried.insert(asked, Tried { times, next_at });
                    return None;
                }
                Posted::Failed
            }
        };
        match posted {
            Posted::Sent => counters.sent.fetch_add(1, Ordering::Relaxed),
            Posted::Failed => counters.failed.fetch_add(1, Ordering::Relaxed),
            Posted::Void => 0,
        };
        Some(posted)
    }
}

/// `left` of those that waited when it was looked.
fn show(app: &App, now: Timestamp, waited: &[(EventRef, WaitingLetter)], left: usize) {
    let oldest = waited.first().filter(|_| left > 0);
    let oldest = oldest.map_or(0, |(_, letter)| now.micros_since(letter.asked_at) / 1_000_000);
    let waiting = Waiting { letters: left as u64, oldest_seconds: oldest.max(0) as u64 };
    app.mailer.show_waiting(app.engine.seals().book().get(), Some(waiting));
}

async fn settle(app: &App, letter: EventRef, posted: Posted, tries: u32) -> Result<(), Unavailable> {
    let act = Act::People(Box::new(PeopleAct::SettleLetter { letter, posted, tries }));
    let command = Command { actor: Actor::System, act };
    // Settled by another node meanwhile is settled.
    app.engine.submit_from(Request { command, key: None }, None).await.map(drop)
}

async fn attempt(app: &App, waiting: WaitingLetter, now: Timestamp) -> Result<Outcome, Unavailable> {
    let written = match waiting.about {
        About::Invitation(invitation) => invited(app, invitation).await?,
        About::Reset(user) => reset(app, user, waiting.asked_at.plus_secs(RESET_SECS), now).await?,
    };
    let letter = match written {
        None => return Ok(Outcome::Settled(Posted::Void)),
        Some(Ok(letter)) => letter,
        Some(Err(error)) => {
            tracing::error!(%error, "a letter cannot be written");
            return Ok(Outcome::Settled(Posted::Failed));
        }
    };
    Ok(match app.mailer.attempt(&letter).await {
        Ok(()) => Outcome::Settled(Posted::Sent),
        Err(error) if error.is_final() => {
            tracing::error!(%error, about = letter.about, "a letter is refused for good");
            Outcome::Settled(Posted::Failed)
        }
        Err(error) => {
            tracing::warn!(%error, about = letter.about, "a letter could not be sent");
            Outcome::Again
        }
    })
}

type Written = Option<Result<Letter, LetterError>>;

async fn invited(app: &App, invitation: InvitationIndex) -> Result<Written, Unavailable> {
    let read = move |ledger: &Ledger, now| {
        let open = ledger.invitation(invitation).filter(|it| it.is_open(now))?;
        let organization = ledger.organization(ledger.organization_within(open.within));
        Some((string(&open.email)?, organization.name.as_ref().to_owned()))
    };
    let Some((email, organization)) = app.engine.read(read).await? else { return Ok(None) };
    let link = invitation_link(app.engine.seals(), invitation);
    let link = app.site.link("accept", link.expose());
    Ok(Some(letters::invitation(app, &email, &organization, &link)))
}

async fn reset(
    app: &App,
    user: UserIndex,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<Written, Unavailable> {
    let read = move |ledger: &Ledger, _| {
        let known = Some(ledger.user(user)).filter(|known| !known.is_removed())?;
        let organization = ledger.organization(known.organization).name.as_ref().to_owned();
        Some((known.passwords(), string(&known.email)?, organization))
    };
    let Some((passwords, email, organization)) = app.engine.read(read).await? else { return Ok(None) };
    if expires_at <= now {
        return Ok(None);
    }
    let link = reset_link(app.engine.seals(), user, passwords, expires_at);
    let link = app.site.link("reset", link.expose());
    Ok(Some(letters::password_reset(app, &email, &organization, &link)))
}
