//! The grants of a subject: codes that are redeemed once, and families of refresh tokens.

use std::time::Duration;

use super::parts::{Family, Full, Grant, Record, Until};
use super::sessions::hour;
use crate::model::Timestamp;
use crate::model::lifetime::SLOWEST_ANSWER;

/// The outcome of spending a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spending {
    First,
    Already,
    /// It came too late, by the store's clock: it is forgotten whether it was spent.
    Expired,
}

/// The outcome of redeeming a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Redeemed {
    First,
    /// It was redeemed before: this call has ended its grant.
    Replayed,
    /// It came too late, by the store's clock: it is forgotten whether it was redeemed.
    Expired,
}

/// The outcome of using a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rotated {
    /// It was the current one; this is the generation of the next.
    Next(u64),
    /// It was used moments ago; this is the generation of the current one, once more.
    Grace(u64),
    /// It was used before, or never issued: this call has ended its grant.
    Reused,
    /// Its family has ended.
    Ended,
}

impl Record {
    /// Redeems the code of a grant, which is valid until then, and begins the grant's family if it has one.
    ///
    /// If a client has too many families, the new one replaces that client's least recently used one, never another
    /// client's.
    pub(crate) fn redeem(
        &mut self,
        grant: &str,
        client: &str,
        valid_until: Timestamp,
        family: Option<Grant>,
        now: Timestamp,
    ) -> Result<Redeemed, Full> {
        match self.spend(grant, valid_until, now)? {
            Spending::First => self.forms_are_over(|form| form.grant == grant),
            // OAuth 2.1 §4.1.3: if a code comes twice, what was issued from it is revoked
            Spending::Already => {
                self.end_grant(grant, client, now);
                return Ok(Redeemed::Replayed);
            }
            Spending::Expired => return Ok(Redeemed::Expired),
        }
        if let Some(family) = family {
            self.make_place(client)?;
            self.grants.push(Grant { begun: now, used: hour(now), ..family });
        }
        Ok(Redeemed::First)
    }

    /// Spends the name of something that is valid until then.
    pub(crate) fn spend(&mut self, id: &str, valid_until: Timestamp, now: Timestamp) -> Result<Spending, Full> {
        self.prune(now);
        if valid_until <= now {
            return Ok(Spending::Expired);
        }
        if self.is_spent(id) {
            return Ok(Spending::Already);
        }
        if self.spent.len() >= MAX_SPENT {
            return Err(Full);
        }
        // A process whose clock is behind the store's may accept it a little longer.
        let until = valid_until + SLOWEST_ANSWER;
        self.spent.push(Until { id: id.into(), client: None, until });
        Ok(Spending::First)
    }

    /// Whether a name was spent, while that is remembered.
    pub(crate) fn is_spent(&self, id: &str) -> bool {
        self.spent.iter().any(|spent| *spent.id == *id)
    }

    /// Moves a family from this generation to the next, and lets it live until then. For `grace` after its first use,
    /// the generation before the current one may come again, and gets the current one; this prolongs nothing.
    pub(crate) fn rotate(
        &mut self,
        grant: &str,
        from: u64,
        grace: Duration,
        until: Timestamp,
        now: Timestamp,
    ) -> Rotated {
        self.prune(now);
        let Some(found) = self.grants.iter_mut().find(|found| found.id == grant) else { return Rotated::Ended };
        let Family { generation, since, .. } = found.family;
        if from == generation {
            found.family = Family { generation: generation + 1, since: now, until };
            found.used = hour(now);
            return Rotated::Next(generation + 1);
        }
        if from.checked_add(1) == Some(generation) && now.since(since) < grace {
            return Rotated::Grace(generation);
        }
        let client = found.client.clone();
        self.end_grant(grant, &client, now);
        Rotated::Reused
    }

    /// Ends a grant: its family, and the access tokens that it gave.
    pub(crate) fn end_grant(&mut self, grant: &str, client: &str, now: Timestamp) {
        self.prune(now);
        self.grants.retain(|found| found.id != grant);
        self.forms_are_over(|form| form.grant == grant);
        self.remember_ended(grant, Some(client), now);
    }

    /// The grants with a live family.
    pub(crate) fn grants(&self, now: Timestamp) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(move |grant| grant.family.until > now)
    }

    pub(super) fn family(&self, grant: &str, now: Timestamp) -> Option<&Family> {
        self.grants(now).find(|found| found.id == grant).map(|found| &found.family)
    }

    fn make_place(&mut self, client: &str) -> Result<(), Full> {
        let of_client = self.grants.iter().filter(|grant| grant.client == client).count();
        if of_client < MAX_FAMILIES_OF_CLIENT && self.grants.len() < MAX_FAMILIES {
            return Ok(());
        }
        let own = (0..self.grants.len()).filter(|index| self.grants[*index].client == client);
        let oldest = own.min_by_key(|index| self.grants[*index].family.since).ok_or(Full)?;
        self.grants.remove(oldest);
        Ok(())
    }
}

/// How many families a client may have of one subject: the devices that it runs on.
const MAX_FAMILIES_OF_CLIENT: usize = 10;
/// How many families there may be of one subject.
const MAX_FAMILIES: usize = 100;
/// How many codes and forms of one subject are remembered as spent at once, each for as long as it would be valid.
const MAX_SPENT: usize = 2_000;
