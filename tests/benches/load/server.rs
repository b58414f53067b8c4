//! Serves each row on a port of its own, by one worker each, and prints row, URL and `Authorization` of each.
//! For `run.sh`; ends when its input does.
#![allow(clippy::unwrap_used)]

use std::io::{Read as _, Write as _};

use oauth_tests_costs::rows::{PATH, Row, Rows};
use oauth_tests_costs::{free_port, serve_with};

fn main() {
    let rows = actix_web::rt::System::new().block_on(Rows::new());
    let mut out = std::io::stdout();
    let mut servers = Vec::new();
    for row in Row::ALL {
        // Every line names one.
        let Some(authorization) = rows.authorization(row) else { continue };
        let (listener, base) = free_port();
        servers.push(serve_with(1, listener, rows.configure(row)));
        writeln!(out, "{} {base}{PATH} {}", row.name(), authorization.to_str().unwrap()).unwrap();
    }
    writeln!(out, "ready").unwrap();
    out.flush().unwrap();
    let _ = std::io::stdin().read(&mut [0]);
}
