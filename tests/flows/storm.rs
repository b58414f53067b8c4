//! Hundreds who sign in at the same moment: all who are right get in, in order, and those who guess are held up as ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use oauth_runtime::{Builder, Clock, Login};
use oauth_tests::{Browser, Server, start};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::{Barrier, Semaphore};
use tokio::task::JoinSet;

use crate::guessing::{address, post};

const MANY: usize = 300;

/// As long as a password hash takes, or a look-up.
const HASH: Duration = Duration::from_millis(14);
const LOOK_UP: Duration = Duration::from_millis(5);

fn user(login: &Login) -> Option<Value> {
    (&*login.password == "right").then(|| json!({ "sub": login.username }))
}

fn hashing(builder: Builder) -> Builder {
    builder.blocking_at_once(4).authenticate_blocking(|login: Login| {
        std::thread::sleep(HASH);
        user(&login)
    })
}

fn looking_up(builder: Builder) -> Builder {
    builder.authenticate(async |login: Login| {
        tokio::time::sleep(LOOK_UP).await;
        user(&login)
    })
}

/// A browser with the form of a sign-in page, about to be sent.
async fn at_the_page(server: &Server) -> (Browser, String) {
    let browser = Browser::new(server);
    let form = browser.authorize(&[]).await.form();
    (browser, form)
}

async fn send((browser, form): (Browser, String), from: &str, name: &str, password: &str) -> u16 {
    post(&browser, "/login", from, &[("request", &form), ("username", name), ("password", password)]).await.status
}

/// Right passwords of these users at one moment, from one address: what each was answered.
async fn at_once(server: &Server, many: usize, user: fn(usize) -> String) -> Vec<u16> {
    let together = Arc::new(Barrier::new(many));
    let mut tasks = JoinSet::new();
    for number in 0..many {
        let (page, together) = (at_the_page(server).await, Arc::clone(&together));
        tasks.spawn(async move {
            together.wait().await;
            send(page, "192.0.2.1", &user(number), "right").await
        });
    }
    tasks.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn c46_three_hundred_right_passwords_at_once_from_one_address_all_sign_in() {
    for configure in [hashing, looking_up] {
        let server = start(|builder| configure(builder.client_address(address)));
        assert_eq!(at_once(&server, MANY, |number| format!("user {number}")).await, [303; MANY]);
    }
}

/// Ten run at once, and the others wait. More forms of one user are not remembered.
#[tokio::test(flavor = "multi_thread")]
async fn c46_a_hundred_right_passwords_of_one_user_at_once_all_sign_in() {
    for configure in [hashing, looking_up] {
        let server = start(|builder| configure(builder.client_address(address)));
        assert_eq!(at_once(&server, 100, |_| "ada".to_owned()).await, [303; 100]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c46_a_flood_of_wrong_passwords_that_waits_is_bounded_and_lets_others_in() {
    // One place, and it is taken until all have come.
    let (may_begin, order) = (Arc::new(Semaphore::new(0)), Arc::new(Mutex::new(Vec::new())));
    let (gate, asked) = (Arc::clone(&may_begin), Arc::clone(&order));
    let (arrived, counted) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let arrivals = Arc::clone(&arrived);
    let server = start(|builder| {
        let builder = builder.clock(Clock::by_hand()).blocking_at_once(1).client_address(move |request| {
            arrivals.fetch_add(1, Ordering::SeqCst);
            address(request)
        });
        builder.authenticate_blocking(move |login: Login| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(gate.acquire()).unwrap().forget();
            gate.add_permits(1);
            asked.lock().push(login.username.clone());
            user(&login)
        })
    });
    let all_have_come = async |number: usize| {
        counted.fetch_add(number, Ordering::SeqCst);
        while arrived.load(Ordering::SeqCst) < counted.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let mut flood = JoinSet::new();
    for number in 0..MANY {
        let page = at_the_page(&server).await;
        flood.spawn(async move { send(page, "192.0.2.1", &format!("guessed {number}"), "wrong").await });
    }
    all_have_come(MANY).await;
    let page = at_the_page(&server).await;
    let owner = tokio::spawn(async move { send(page, "198.51.100.1", "ada", "right").await });
    all_have_come(1).await;
    may_begin.add_permits(1);
    assert_eq!(owner.await.unwrap(), 303);
    let mut statuses = flood.join_all().await;
    statuses.sort_unstable();
    let wrong = statuses.iter().filter(|status| **status == 401).count();
    // What is free, one through the gate, and those that were asked about while these were settled.
    assert!((101..=120).contains(&wrong), "{wrong}");
    assert_eq!(statuses[wrong..], vec![429; MANY - wrong]);
    let before = order.lock().iter().position(|name| name == "ada").unwrap();
    assert!(before <= wrong, "{before} of {wrong} were asked about before");
}
