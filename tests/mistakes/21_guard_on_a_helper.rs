//! A guard stands on a function that is no handler.
//!
//! There is no request where it is called, so there is no token to decide by. The author must learn that it is about
//! the guard.
// caught: compiler
// says: a guard belongs on a handler

use actix_web::web::Data;
use oauth_runtime::require_claim;

struct Database;

#[require_claim(role = "admin")]
// right: async fn erase(database: Data<Database>) -> String {
async fn erase(database: &Database) -> String {
    database.erase()
}

impl Database {
    fn erase(&self) -> String {
        "erased".to_owned()
    }
}

fn database() -> Data<Database> {
    Data::new(Database)
}
