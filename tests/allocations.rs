//! A token that came before costs no allocation: counted, since a count does not depend on the machine.
#![allow(clippy::unwrap_used)]

use actix_web::dev::Service as _;
use actix_web::http::header;
use actix_web::{App, test as harness};
use oauth_tests::rows::{PATH, Row, Rows};

/// How many allocations a request takes in a row that has seen its token before.
fn allocations(rows: &Rows, row: Row) -> u64 {
    let system = actix_web::rt::System::new();
    let app = system.block_on(harness::init_service(App::new().configure(rows.configure(row))));
    let authorization = rows.authorization(row).unwrap();
    let call = || {
        let request =
            harness::TestRequest::get().uri(PATH).insert_header((header::AUTHORIZATION, authorization.clone()));
        let response = system.block_on(app.call(request.to_request())).unwrap();
        assert_eq!(response.status().as_u16(), row.status(), "{row:?}");
    };
    (0..3).for_each(|_| call());
    const TIMES: u64 = 50;
    allocation_counter::measure(|| (0..TIMES).for_each(|_| call())).count_total / TIMES
}

#[test]
fn a_guard_that_knows_the_token_allocates_nothing() {
    let rows = actix_web::rt::System::new().block_on(Rows::new());
    let bare = allocations(&rows, Row::Bare);
    assert!(bare > 0);
    assert_eq!(allocations(&rows, Row::Hit), bare);
    // The count sees every allocation.
    assert!(allocations(&rows, Row::Miss) > bare + 10);
}
