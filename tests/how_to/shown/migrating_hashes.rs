use std::num::NonZeroU32;

use argon2::{Argon2, PasswordHash, PasswordHasher as _, PasswordVerifier as _};
use aws_lc_rs::pbkdf2::{self, Algorithm, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA512};
use aws_lc_rs::{constant_time, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use oauth_runtime::{Login, SignIn};
use serde_json::{Value, json};

/// What new hashes begin with: `Argon2::default()`.
const CURRENT: &str = "$argon2id$v=19$m=19456,t=2,p=1$";
/// The hash of no password that is known, so that an unknown name takes as long as a known one.
const OF_NO_ONE: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$gZK0BSRrYu0fIm1SNNfs+Q$L+Snmjx9keCRoaaFDJhTpk3z1OCH8wMFhYxkM98FdpY";

/// Your table of users.
pub trait Users {
    /// The `sub` of a name, and the hash.
    fn find(&self, name: &str) -> Option<(String, String)>;
    /// `UPDATE users SET hash = $new WHERE id = $subject AND hash = $old`: a password that was changed meanwhile stays.
    fn replace_hash(&self, subject: &str, old: &str, new: &str);
}

/// For `authenticate_blocking`.
pub fn sign_in(users: &impl Users, login: &Login) -> SignIn<Value> {
    let found = users.find(&login.username);
    let hash = found.as_ref().map_or(OF_NO_ONE, |(_, hash)| hash);
    let Some(is_right) = is_right(&login.password, hash) else {
        // As long as any other answer takes.
        let _ = is_right(&login.password, OF_NO_ONE);
        let subject = found.map(|(subject, _)| subject);
        tracing::warn!(user = ?subject, "the hash of a user is of an unknown kind");
        return subject.map_or_else(SignIn::refused, SignIn::refused_for);
    };
    let Some((subject, old)) = found else { return SignIn::refused() };
    if !is_right {
        // Counts for the user, by whichever of their names it was tried.
        return SignIn::refused_for(subject);
    }
    if !old.starts_with(CURRENT)
        && let Ok(new) = Argon2::default().hash_password(login.password.as_bytes())
    {
        users.replace_hash(&subject, &old, &new.to_string());
    }
    SignIn::done(json!({ "sub": subject })).amr("pwd")
}

/// Whether a password is that of a hash; nothing where its kind is unknown. Run it over your table before you switch.
pub fn is_right(password: &str, hash: &str) -> Option<bool> {
    let after = |begin: &str| hash.strip_prefix(begin);
    match hash.split('$').collect::<Vec<_>>()[..] {
        ["", "argon2id" | "argon2i" | "argon2d", ..] => argon2(password, hash),
        ["argon2", ..] => argon2(password, after("argon2")?), // Django
        [.., "2a" | "2b" | "2y", cost, _] if cost > "15" => None, // it would take minutes
        ["", "2a" | "2b" | "2y", ..] => bcrypt::verify(password, hash).ok(),
        ["bcrypt", ..] => bcrypt::verify(password, after("bcrypt$")?).ok(), // Django, and the next
        ["bcrypt_sha256", ..] => bcrypt::verify(sha256(password), after("bcrypt_sha256$")?).ok(),
        ["pbkdf2_sha256", turns, salt, hash] => derived(PBKDF2_HMAC_SHA256, turns, salt.as_bytes(), password, hash),
        ["pbkdf2_sha1", turns, salt, hash] => derived(PBKDF2_HMAC_SHA1, turns, salt.as_bytes(), password, hash),
        ["scrypt", n, salt, r, p, hash] => scrypt([n, r, p], salt.as_bytes(), password, hash),
        ["keycloak", kind, turns, salt, hash] => {
            let algorithm = match kind {
                "pbkdf2-sha512" => PBKDF2_HMAC_SHA512,
                "pbkdf2-sha256" => PBKDF2_HMAC_SHA256,
                "pbkdf2" => PBKDF2_HMAC_SHA1,
                _ => return None,
            };
            derived(algorithm, turns, &STANDARD.decode(salt).ok()?, password, hash)
        }
        _ => None,
    }
}

fn argon2(password: &str, hash: &str) -> Option<bool> {
    let hash = PasswordHash::new(hash).ok()?;
    let is_beyond = |name: &str, most: u32| hash.params.get_decimal(name).is_some_and(|number| number > most);
    // KiB, turns and lanes, as below.
    if is_beyond("m", 1 << 18) || is_beyond("t", 20) || is_beyond("p", 16) {
        return None;
    }
    Some(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

fn derived(algorithm: Algorithm, turns: &str, salt: &[u8], password: &str, hash: &str) -> Option<bool> {
    let (turns, hash): (NonZeroU32, _) = (turns.parse().ok()?, whole(hash)?);
    if turns.get() > 5_000_000 {
        return None;
    }
    Some(pbkdf2::verify(algorithm, turns, salt, password.as_bytes(), &hash).is_ok())
}

fn scrypt([n, r, p]: [&str; 3], salt: &[u8], password: &str, hash: &str) -> Option<bool> {
    let n: u64 = n.parse().ok()?;
    let log_n = u8::try_from(n.checked_ilog2().filter(|_| n.is_power_of_two())?).ok()?;
    let (r, p): (u32, u32) = (r.parse().ok()?, p.parse().ok()?);
    // 256 MiB, and sixteen times: a row that says more would take the process with it.
    if n.checked_mul(128 * u64::from(r))? > 1 << 28 || p > 16 {
        return None;
    }
    let parameters = scrypt::Params::new(log_n, r, p).ok()?;
    let hash = whole(hash)?;
    let mut derived = vec![0; hash.len()];
    scrypt::scrypt(password.as_bytes(), salt, &parameters, &mut derived).ok()?;
    Some(constant_time::verify_slices_are_equal(&derived, &hash).is_ok())
}

/// A hash that was cut off would fit many passwords.
fn whole(hash: &str) -> Option<Vec<u8>> {
    STANDARD.decode(hash).ok().filter(|hash| hash.len() >= 16)
}

/// In hexadecimal digits, as Django hands it to bcrypt.
fn sha256(password: &str) -> String {
    let digest = digest::digest(&digest::SHA256, password.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What goes into your table of the columns `secret_data` and `credential_data` of Keycloak's table `credential`.
pub fn from_keycloak(secret_data: &str, credential_data: &str) -> Option<String> {
    let [secret, data]: [Value; 2] =
        [serde_json::from_str(secret_data).ok()?, serde_json::from_str(credential_data).ok()?];
    let (salt, hash) = (secret["salt"].as_str()?, secret["value"].as_str()?);
    let (kind, turns) = (data["algorithm"].as_str()?, data["hashIterations"].as_u64()?);
    if kind != "argon2" {
        return Some(format!("keycloak${kind}${turns}${salt}${hash}"));
    }
    let parameter = |name: &str| data["additionalParameters"][name][0].as_str();
    let (variant, memory, lanes) = (parameter("type")?, parameter("memory")?, parameter("parallelism")?);
    let without_padding = |text: &str| Some(STANDARD_NO_PAD.encode(STANDARD.decode(text).ok()?));
    let version = if parameter("version")? == "1.0" { 16 } else { 19 };
    let [salt, hash] = [without_padding(salt)?, without_padding(hash)?];
    Some(format!("$argon2{variant}$v={version}$m={memory},t={turns},p={lanes}${salt}${hash}"))
}
