use oauth_runtime::require_claim;

#[require_claim(role = "admin")]
async fn report() -> Result<String, std::num::ParseIntError> {
    let level: u8 = "3".parse()?;
    let level: f64 = level.to_string().parse()?;
    Ok(level.to_string())
}

fn main() {}
