//! What an account has besides money: settings and numbers.

use super::{Model, No, Who};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub url: Option<u32>,
    pub posts: bool,
    pub calls: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { url: None, posts: false, calls: 30 }
    }
}

impl Model {
    pub(super) fn set_settings(
        &mut self,
        who: Who,
        account: usize,
        url: Option<Option<u32>>,
        posts: Option<bool>,
        calls: Option<u32>,
    ) -> Result<(), No> {
        self.reach(who, account)?;
        if calls.is_some() {
            self.seller(who, account)?;
        }
        self.open(account)?;
        let settings = self.settings.entry(account).or_default();
        settings.url = url.unwrap_or(settings.url);
        settings.posts = posts.unwrap_or(settings.posts);
        settings.calls = calls.unwrap_or(settings.calls);
        Ok(())
    }

    pub(super) fn assign(&mut self, who: Who, account: usize, number: u64) -> Result<(), No> {
        self.seller(who, account)?;
        self.open(account)?;
        if self.numbers.contains_key(&number) {
            return Err(No::NumberTaken);
        }
        self.numbers.insert(number, account);
        Ok(())
    }

    pub(super) fn release_number(&mut self, who: Who, account: usize, number: u64) -> Result<(), No> {
        self.seller(who, account)?;
        if self.numbers.get(&number) != Some(&account) {
            return Err(No::NoNumber);
        }
        self.numbers.remove(&number);
        Ok(())
    }

    pub(super) fn move_number(&mut self, who: Who, from: usize, to: usize, number: u64) -> Result<(), No> {
        self.reach(who, from)?;
        self.reach(who, to)?;
        if from == to {
            return Err(No::Same);
        }
        if self.root(from) != self.root(to) {
            return Err(No::NotOneFamily);
        }
        self.may_spend(from)?;
        self.may_spend(to)?;
        let owner = *self.numbers.get(&number).ok_or(No::NoNumber)?;
        self.reach(who, owner).map_err(|_| No::NoNumber)?;
        if owner == to {
            return Err(No::NumberTaken);
        }
        if owner != from {
            return Err(No::NotOwned);
        }
        self.numbers.insert(number, to);
        Ok(())
    }
}
