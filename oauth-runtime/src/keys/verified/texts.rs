//! The strings of a token, one after another in a single allocation.

use std::fmt;

/// The texts of a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Texts<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) id: &'a str,
    pub(crate) client_id: &'a str,
    /// The grant that the token was issued from.
    pub(crate) grant: Option<&'a str>,
    /// The session that the grant was made in.
    pub(crate) session: Option<&'a str>,
}

/// The strings as they are kept.
#[derive(Clone)]
pub(crate) struct KeptTexts {
    all: Box<str>,
    ends: [usize; 6],
    has_grant: bool,
    has_session: bool,
}

impl Texts<'_> {
    pub(crate) fn kept(self) -> KeptTexts {
        let Texts { issuer, subject, id, client_id, grant, session } = self;
        let texts = [issuer, subject, id, client_id, grant.unwrap_or_default(), session.unwrap_or_default()];
        // Of exactly this size, so that it need not shrink.
        let mut all = String::with_capacity(texts.iter().map(|text| text.len()).sum());
        let ends = texts.map(|text| {
            all.push_str(text);
            all.len()
        });
        KeptTexts { all: all.into(), ends, has_grant: grant.is_some(), has_session: session.is_some() }
    }
}

impl KeptTexts {
    pub(super) fn get(&self) -> Texts<'_> {
        let [issuer, subject, id, client_id, grant, _] = self.ends;
        // Each ends where a text ended.
        let (all, text) = (&*self.all, |begin, end| &self.all[begin..end]);
        Texts {
            issuer: text(0, issuer),
            subject: text(issuer, subject),
            id: text(subject, id),
            client_id: text(id, client_id),
            grant: self.has_grant.then(|| text(client_id, grant)),
            session: self.has_session.then(|| &all[grant..]),
        }
    }
}

impl fmt::Debug for KeptTexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_what_it_was_and_none_is_not_empty() {
        for (grant, session) in
            [(None, None), (Some(""), None), (None, Some("")), (Some("g"), Some("s")), (Some(""), Some("sé"))]
        {
            let texts = Texts { issuer: "i", subject: "äb", id: "", client_id: "c", grant, session };
            assert_eq!(format!("{:?}", texts.kept()), format!("{texts:?}"));
        }
    }
}
