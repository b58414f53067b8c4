//! The grant of a device's code (RFC 8628 §3.4 and §3.5).

use crate::endpoints::token::access_token::Issued;
use crate::endpoints::token::authorization_code;
use crate::endpoints::token::caller::Caller;
use crate::error::Reason;
use crate::model::GrantType;
use crate::model::code::DeviceGrant;
use crate::model::device_code::DeviceCode;
use crate::model::form::Parameters;
use crate::model::record::{Polled, Record};
use crate::seal::{NotOpened, Opened};
use crate::server::Server;
use crate::sign_in::for_device::key;
use crate::standing::Decision;

pub(crate) async fn redeem(server: &Server, caller: Caller<'_>, parameters: &Parameters<'_>) -> Result<Issued, Reason> {
    let client = caller.client;
    let code = parameters.held("device_code")?.ok_or(Reason::MissingInForm("device_code"))?;
    let asked = server.asked_resources(client, parameters)?;
    let opened = server.sealer().open::<DeviceCode>(code, server.now());
    let Opened { value: code, expires_at, .. } = opened.map_err(|why| match why {
        NotOpened::Forged => Reason::DeviceCodeForged,
        NotOpened::Expired => Reason::DeviceCodeExpired,
    })?;
    // RFC 6749 §5.2: issued to another client
    if code.client_id != client.id {
        return Err(Reason::DeviceCodeOfAnotherClient);
    }
    let granted = granted(server, &code).await?;
    let told = GrantType::DeviceCode.as_str();
    authorization_code::issue(server, caller, (granted.0, expires_at), asked, told).await
}

/// What its user granted, if they have decided.
async fn granted(server: &Server, code: &DeviceCode) -> Result<DeviceGrant, Reason> {
    let poll = |record: &mut Record, now| {
        Ok(match record.poll(&code.id, now) {
            polled @ (Polled::Waits | Polled::TooSoon) => Decision::Write(polled),
            polled @ (Polled::Denied | Polled::Allowed(_) | Polled::Gone) => Decision::Keep(polled),
        })
    };
    let polled = server.ledger().change(key(&code.user_code), Some(code.as_of), poll).await;
    let (polled, _) = polled.map_err(|why| why.into_reason(|_| Reason::DeviceCodeExpired))?;
    match polled {
        Polled::Waits => Err(Reason::AuthorizationPending),
        Polled::TooSoon => Err(Reason::SlowDown),
        Polled::Denied => Err(Reason::AccessDenied),
        Polled::Gone => Err(Reason::DeviceCodeExpired),
        Polled::Allowed(sealed) => {
            let granted = server.sealer().open_within(&sealed, &code.id, server.now());
            // It was sealed under a secret that is gone, or is too old by now.
            granted.map_err(|_| Reason::DeviceCodeExpired)
        }
    }
}
