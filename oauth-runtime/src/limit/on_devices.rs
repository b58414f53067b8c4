//! Devices that ask for a sign-in, and guesses at the codes that they show (RFC 8628 §5.1, §5.2).

use crate::limit::network::Networks;
use crate::limit::row::{Kind, Row};
use crate::limit::{Asked, Attempt, By, Limits, TooMany, adding};
use crate::store::StoreError;

impl Limits {
    /// Counts a device that asks, which takes room in the store: for its networks, and with all others. Where hardly any
    /// asked this hour, it is most likely a user's, and passes when others, from wherever, have used up the total.
    pub(crate) async fn device(&self, networks: &Networks) -> Result<Result<(), TooMany>, StoreError> {
        let kinds = [Kind::DevicesAt, Kind::DevicesAt56, Kind::DevicesAt48];
        let at = self.by_width(kinds, networks, str::to_owned);
        let rows: Vec<Row> = at.chain([self.row(Kind::Devices, "")]).collect();
        let free = |seen: &[(Row, u64)]| {
            let is_elsewhere = seen.iter().all(|(row, asked)| row.kind == Kind::Devices || *asked < FEW);
            let of = |row: &Row| if is_elsewhere && row.kind == Kind::Devices { MOST } else { row.kind.free() };
            seen.iter().map(|(row, _)| of(row)).collect()
        };
        self.all(&rows, free).await
    }

    /// Counts one in all of these rows, whatever its outcome. `free` says how many are free in each, once it is known how
    /// many there are.
    pub(super) async fn all(
        &self,
        rows: &[Row],
        free: impl FnOnce(&[(Row, u64)]) -> Vec<u64>,
    ) -> Result<Result<(), TooMany>, StoreError> {
        let sums = self.add(&adding(rows, 1)).await?;
        let seen: Vec<(Row, u64)> = rows.iter().zip(sums).map(|(row, sum)| (*row, sum.of_others())).collect();
        let free = free(&seen);
        let beyond = seen.into_iter().zip(free).filter(|((_, asked), free)| asked >= free);
        let gates: Vec<(Row, u64)> = beyond.map(|(seen, _)| seen).collect();
        let passed = self.pass_gates(&gates).await?;
        if passed.is_err() {
            self.add(&adding(rows, -1)).await?;
        }
        Ok(passed)
    }

    /// Counts a code that is typed, from this network: take a right one back.
    pub(crate) async fn user_code(&self, networks: &Networks) -> Result<Result<Attempt, TooMany>, StoreError> {
        let own = self.row(Kind::UserCode, networks.narrowest());
        let counted = self.networks(networks).chain([own]).collect();
        self.begin(Asked { counted, by: By::Counted { of: Kind::UserCode, subject: None } }).await
    }
}

/// With fewer devices that asked than this, a network has a part of the room that others cannot use up.
const FEW: u64 = 3;
/// How many devices may wait: those of such networks alone take the second half of this.
const MOST: u64 = 20_000;
