//! Folds facts into the state.
//!
//! Every object remembers the last event it has seen and ignores older ones. Live, nothing is ever
//! older; in a replay over a snapshot that was copied piece by piece, some objects are ahead of others.

use domain::{Nanos, Timestamp};

use crate::event::{Change, Event, HoldPlaced};
use crate::state::{Handle, Merge, Name, Refunded};
use crate::totals::sum;
use crate::{
    Account, AccountIndex, Amounts, Balance, BalanceIndex, Calendar, EventRef, Family, FamilyIndex, Funding,
    Hold, HoldId, House, Ledger, NewAccount, Organization, ReloadLimits, Restrictions, Status, Terms, User,
};

impl Ledger {
    /// Folds one fact that stands at `at` in the journal. Cannot fail: recovery is this call, repeated.
    pub fn apply(&mut self, event: &Event, at: EventRef) {
        let is_movement = event.is_movement();
        for image in event.images() {
            let balance = self.balances.get_mut(image.balance.slot()).expect("an event's balances exist");
            if balance.last < at {
                debug_assert_eq!(balance.entries + 1, image.entry, "entries are gapless");
                balance.amounts = image.amounts;
                balance.record(at, is_movement);
            }
        }
        if let Some(change) = event.change() {
            self.total(&change, at);
        }
        self.apply_rest(event, at);
    }

    fn total(&mut self, change: &Change, at: EventRef) {
        let balance = self.balances.get(change.balance.slot()).expect("an event's balances exist");
        let family = self.families.get_mut(balance.family.slot()).expect("a balance's family exists");
        if family.last < at {
            family.posted = sum(family.posted, change.posted);
            family.held = sum(family.held, change.held);
            family.credit = sum(family.credit, change.credit);
            family.last = at;
        }
        if change.posted.is_zero() {
            return;
        }
        let organization = self.account(balance.account).organization;
        let currency = balance.currency;
        let organization =
            self.organizations.get_mut(organization.slot()).expect("an account's organization");
        let house = match organization.houses.iter().position(|house| house.currency == currency) {
            Some(known) => &mut organization.houses[known],
            None => {
                organization.houses.push(House::new(currency));
                organization.houses.last_mut().expect("it was just pushed")
            }
        };
        if house.last < at {
            house.post(change.leg, change.posted);
            house.last = at;
        }
    }

    fn apply_rest(&mut self, event: &Event, at: EventRef) {
        match event {
            Event::OrganizationCreated {
                organization,
                name,
                time_zone,
                currency,
                first_period,
                boundaries,
                created_at,
            } => {
                if organization.slot() == self.organizations.len() {
                    self.organizations.push(Organization {
                        name: name.clone(),
                        time_zone: time_zone.clone(),
                        currency: *currency,
                        calendar: Calendar { first: *first_period, boundaries: boundaries.to_vec() },
                        declared: Vec::new(),
                        houses: Vec::new(),
                        created_at: *created_at,
                        names: 0,
                        last: at,
                    });
                }
            }
            Event::CalendarExtended { organization, boundaries } => {
                let organization = self.organizations.get_mut(organization.slot()).expect("it exists");
                if organization.last < at {
                    organization.calendar.boundaries = boundaries.to_vec();
                    organization.last = at;
                }
            }
            Event::CurrencyDeclared { organization, currency, exponent } => {
                let organization = self.organizations.get_mut(organization.slot()).expect("it exists");
                if organization.last < at {
                    organization.declared.push((*currency, *exponent));
                    organization.last = at;
                }
            }
            Event::NameInterned { organization, family, name, digest, text } => {
                let organization_of = self.organizations.get_mut(organization.slot()).expect("it exists");
                if organization_of.last < at {
                    organization_of.names += 1;
                    organization_of.last = at;
                }
                if let Some(root) = family {
                    let root = self.accounts.get_mut(root.slot()).expect("it exists");
                    if root.last < at {
                        root.names += 1;
                        root.last = at;
                    }
                }
                if name.slot() == self.names.len() {
                    self.names.push(Name {
                        organization: *organization,
                        digest: *digest,
                        text: text.clone(),
                    });
                    self.interned.insert(*digest, *name);
                }
            }
            Event::UserCreated { user, organization, role, email_digest, email, password, created_at } => {
                if user.slot() == self.users.len() {
                    self.users.push(User {
                        organization: *organization,
                        role: *role,
                        email_digest: *email_digest,
                        email: email.clone(),
                        password: password.clone(),
                        created_at: *created_at,
                        person: None,
                        last: at,
                    });
                    self.file_user(*user);
                }
            }
            Event::CredentialIssued { index, credential } => self.issue(*index, credential, at),
            Event::CredentialRevoked { credential, .. }
            | Event::CredentialScoped { credential, .. }
            | Event::CredentialSpent { credential, .. }
            | Event::ScopeSet { credential, .. }
            | Event::LimitCounted { credential, .. }
            | Event::CredentialUsed { credential, .. } => self.fold_credential(*credential, event, at),
            Event::AccountOpened { account, new, root, opened_at, credential } => {
                self.open_account(*account, new, *root, *opened_at, at);
                if let Some((index, credential)) = credential {
                    self.issue(*index, credential, at);
                }
            }
            Event::AccountChanged { account, name, status, restrictions, funding, reason: _ } => {
                if let Some(account) = self.stale_account(*account, at) {
                    account.name.clone_from(name);
                    account.status = *status;
                    account.restrictions = *restrictions;
                    account.funding = *funding;
                }
            }
            Event::HandleSet { account, kind, digest, text } => {
                if let Some(account) = self.stale_account(*account, at) {
                    account.handles.push((*kind, text.clone()));
                }
                let handle = Handle { account: *account, kind: *kind, text: text.clone(), last: at };
                self.handles.insert(*digest, handle);
            }
            Event::BalanceOpened { balance, account, currency, family, period, period_end } => {
                if family.slot() == self.families.len() {
                    self.families.push(Family {
                        root: self.account(*account).root,
                        currency: *currency,
                        posted: Nanos::ZERO,
                        held: Nanos::ZERO,
                        credit: Nanos::ZERO,
                        last: at,
                    });
                }
                self.open_balance(*balance, *account, *family, at, |opened| {
                    opened.currency = *currency;
                    opened.period = *period;
                    opened.period_end = *period_end;
                });
            }
            Event::PeriodRolled { image, period, period_end } => {
                let balance = self.balances.get_mut(image.balance.slot()).expect("it exists");
                if balance.last <= at {
                    balance.period = *period;
                    balance.period_end = *period_end;
                }
            }
            Event::Merged { from, to, .. } => {
                let merges = self.merges.entry(from.balance).or_default();
                let merge = Merge { entry: from.entry, into: to.balance, into_entry: to.entry };
                if !merges.contains(&merge) {
                    merges.push(merge);
                }
            }
            Event::Refunded { charge, refunded, .. } => {
                let known = self.refunds.get(charge);
                if known.is_none_or(|known| known.last < at) {
                    self.refunds.insert(*charge, Refunded { amount: *refunded, last: at });
                }
            }
            Event::HoldPlaced(placed) => self.place(placed, at),
            Event::HoldExtended { hold, expires_at, .. } => {
                if let Some(held) = self.holds.get_mut(hold).filter(|hold| hold.last < at) {
                    self.due.remove(&(held.expires_at, *hold));
                    held.expires_at = *expires_at;
                    held.last = at;
                    self.due.insert((*expires_at, *hold));
                }
            }
            Event::HoldCaptured { hold, left, charged, .. } => {
                if left.is_zero() {
                    self.end(*hold, charged.account, at);
                } else if let Some(hold) = self.holds.get_mut(hold).filter(|hold| hold.last < at) {
                    hold.amount = *left;
                    hold.captured = sum(hold.captured, charged.amount);
                    hold.last = at;
                }
            }
            Event::HoldEnded { hold, payer, user, .. } => {
                let user = user.as_ref().unwrap_or(payer);
                let account = self.balance(user.balance).account;
                self.end(*hold, account, at);
            }
            Event::People(event) => self.apply_people(event, at),
            Event::Audited(audited) => self.apply_audited(audited, at),
            Event::SettingsChanged { account, settings } => self.fold_settings(*account, settings, at),
            Event::NumberAssigned { digest, number } | Event::NumberMoved { digest, number, .. } => {
                self.fold_number(*digest, number, at);
            }
            Event::NumberReleased { digest, .. } => self.fold_release(*digest, at),
            Event::ReloadSet { account, balance, rule } => {
                self.fold_rule(*account, *balance, rule, ReloadLimits::default(), at);
            }
            Event::ReloadRuled { account, balance, rule, limits } => {
                self.fold_rule(*account, *balance, rule, *limits, at);
            }
            Event::ReloadRequested { balance, .. }
            | Event::ReloadEnded { balance, .. }
            | Event::ReloadStarted { balance, .. }
            | Event::ReloadPaused { balance, .. } => self.fold_reload(*balance, event, at),
            Event::CreditSet { .. }
            | Event::Allocated { .. }
            | Event::Transferred { .. }
            | Event::ToppedUp(_)
            | Event::Withdrawn(_)
            | Event::Adjusted { .. }
            | Event::UsageCredited(_)
            | Event::Charged(_) => {}
        }
    }

    /// The account, if it has not seen the event at `at` yet; it has now.
    fn stale_account(&mut self, index: AccountIndex, at: EventRef) -> Option<&mut Account> {
        let account = self.accounts.get_mut(index.slot()).expect("an event's accounts exist");
        if account.last >= at {
            return None;
        }
        account.last = at;
        Some(account)
    }

    fn open_account(
        &mut self,
        index: AccountIndex,
        new: &NewAccount,
        root: AccountIndex,
        opened_at: Timestamp,
        at: EventRef,
    ) {
        if index.slot() == self.accounts.len() {
            self.accounts.push(Account {
                organization: new.organization,
                parent: new.parent,
                root,
                funding: new.funding,
                status: Status::Active,
                restrictions: Restrictions::default(),
                terms: Terms::Running,
                managed: new.managed,
                allows_overruns: new.allows_overruns,
                may_open_children: new.may_open_children,
                currency: new.currency,
                opened_at,
                name: new.name.clone(),
                first_balance: None,
                first_child: None,
                last_child: None,
                next_sibling: None,
                children: 0,
                last_credential: None,
                open_holds: 0,
                names: 0,
                handles: Vec::new(),
                last: at,
            });
        }
        let Some(parent) = new.parent else { return };
        let parent = self.accounts.get_mut(parent.slot()).expect("a parent exists before its child");
        // Children come in the order of their indices, so a parent that is ahead has this one already.
        if parent.last_child >= Some(index) {
            return;
        }
        let elder = parent.last_child.replace(index);
        parent.children += 1;
        match elder {
            None => parent.first_child = Some(index),
            Some(elder) => {
                self.accounts.get_mut(elder.slot()).expect("a sibling exists").next_sibling = Some(index);
            }
        }
    }

    fn open_balance(
        &mut self,
        index: BalanceIndex,
        account: AccountIndex,
        family: FamilyIndex,
        at: EventRef,
        fill: impl FnOnce(&mut Balance),
    ) {
        if index.slot() == self.balances.len() {
            let mut balance = Balance {
                amounts: Amounts::default(),
                account,
                family,
                currency: self.account(account).currency,
                period: 0,
                next: None,
                period_end: Timestamp::NEVER,
                entries: 0,
                last: at,
                last_movement: EventRef::NONE,
                skips: Default::default(),
            };
            fill(&mut balance);
            self.balances.push(balance);
        }
        let owner = self.accounts.get_mut(account.slot()).expect("a balance's account exists");
        let Some(mut tail) = owner.first_balance else {
            owner.first_balance = Some(index);
            return;
        };
        while tail != index {
            let balance = self.balances.get_mut(tail.slot()).expect("a chained balance exists");
            tail = *balance.next.get_or_insert(index);
        }
    }

    fn place(&mut self, placed: &HoldPlaced, at: EventRef) {
        if self.next_hold <= placed.hold {
            self.next_hold = HoldId(placed.hold.0 + 1);
            // A hold below the counter was ended before the snapshot reached it, or is in it.
            let user = placed.user.as_ref().unwrap_or(&placed.payer);
            self.holds.insert(
                placed.hold,
                Hold {
                    account: placed.account,
                    user: user.balance,
                    payer: placed.payer.balance,
                    payer_entry: placed.payer.entry,
                    amount: placed.amount,
                    captured: Nanos::ZERO,
                    placed_at: placed.placed_at,
                    expires_at: placed.expires_at,
                    usage: placed.usage.clone(),
                    last: at,
                },
            );
            self.due.insert((placed.expires_at, placed.hold));
        }
        if let Some(account) = self.stale_account(placed.account, at) {
            account.open_holds += 1;
        }
    }

    fn end(&mut self, id: HoldId, account: AccountIndex, at: EventRef) {
        if let Some(hold) = self.holds.remove(&id) {
            self.due.remove(&(hold.expires_at, id));
        }
        if let Some(account) = self.stale_account(account, at) {
            account.open_holds -= 1;
        }
    }
}

impl Funding {
    /// Whether the account spends an ancestor's balance.
    pub fn is_shared(self) -> bool {
        self == Self::Shared
    }
}
