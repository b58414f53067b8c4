//! Devices that ask for a sign-in, and guesses at the codes that they show (RFC 8628 §5.1, §5.2).

use crate::limit::network::Networks;
use crate::limit::row::{Kind, Row};
use crate::limit::{Asked, Attempt, By, Limits, TooMany, adding};
use crate::store::StoreError;

impl Limits {
    /// Counts a device that asks, which takes room in the store: for its networks, and with all others.
    pub(crate) async fn device(&self, networks: &Networks) -> Result<Result<(), TooMany>, StoreError> {
        let kinds = [Kind::DevicesAt, Kind::DevicesAt56, Kind::DevicesAt48];
        let at = self.by_width(kinds, networks, str::to_owned);
        let rows: Vec<Row> = at.chain([self.row(Kind::Devices, "")]).collect();
        self.all(&rows).await
    }

    /// Counts one in all of these rows, whatever its outcome.
    pub(super) async fn all(&self, rows: &[Row]) -> Result<Result<(), TooMany>, StoreError> {
        let sums = self.add(&adding(rows, 1)).await?;
        let seen = rows.iter().zip(sums).map(|(row, sum)| (*row, sum.of_others()));
        let gates: Vec<(Row, u64)> = seen.filter(|(row, asked)| *asked >= row.kind.free()).collect();
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
