//! German.

use std::collections::BTreeMap;

use crate::pages::texts::{Texts, in_words};

pub(super) fn texts() -> Texts {
    Texts {
        language: "de".into(),
        sign_in: "Anmelden".into(),
        to_continue: "um mit {client} fortzufahren".into(),
        able_to: "{client} kann dann:".into(),
        valid_at: "Dieser Zugriff gilt bei:".into(),
        lasting_access: "Diesen Zugriff auch in Ihrer Abwesenheit behalten, bis Sie ihn beenden".into(),
        username: "Benutzername".into(),
        password: "Passwort".into(),
        returns_to: "Danach werden Sie zu {host} weitergeleitet".into(),
        cancel: "Abbrechen".into(),
        incomplete: "Geben Sie Ihren Benutzernamen und Ihr Passwort ein.".into(),
        too_long: "Das ist zu lang.".into(),
        wrong: "Benutzername oder Passwort stimmt nicht.".into(),
        too_many_attempts: |wait| {
            let units = [["Sekunde", "Sekunden"], ["Minute", "Minuten"], ["Stunde", "Stunden"]];
            let (count, unit) = in_words(wait, units);
            let unit = unit[usize::from(count != 1)];
            format!("Zu viele Versuche. Warten Sie {count} {unit} und versuchen Sie es dann noch einmal.")
        },
        try_again_later: "Die Anmeldung ist gerade nicht möglich. Versuchen Sie es in Kürze noch einmal.".into(),
        question: "Noch ein Schritt".into(),
        signing_in_as: "Anmeldung als {account}".into(),
        go_on: "Weiter".into(),
        answer_missing: "Geben Sie eine Antwort.".into(),
        answer_wrong: "Das stimmt nicht.".into(),
        consent: "Zugriff erlauben?".into(),
        wants_access: "{client} möchte auf Ihr Konto {account} zugreifen".into(),
        allow: "Erlauben".into(),
        deny: "Ablehnen".into(),
        sign_out: "Abmelden".into(),
        sign_out_question: "Abmelden?".into(),
        stay: "Angemeldet bleiben".into(),
        stayed: "Sie sind weiterhin angemeldet".into(),
        sent_here: "Eine Anwendung hat Sie hierher geleitet.".into(),
        signed_in_as: "Sie sind als {account} angemeldet. Auch die Anwendungen, die Sie damit geöffnet haben, werden \
             abgemeldet."
            .into(),
        signed_out: "Sie sind abgemeldet".into(),
        close_window: "Sie können dieses Fenster schließen.".into(),
        cannot_go_on: "Diese Anmeldung kann nicht fortgesetzt werden".into(),
        cannot_sign_out: "Die Abmeldung hat nicht funktioniert".into(),
        went_wrong: "Hier ist etwas schiefgegangen".into(),
        request_unusable:
            "Die Anwendung hat etwas gesendet, das sich nicht beantworten lässt. Gehen Sie zu ihr zurück und \
             versuchen Sie es noch einmal. Hilft das nicht, wenden Sie sich an ihre Betreiber."
                .into(),
        server_failed: "Das liegt an uns, nicht an Ihnen. Versuchen Sie es später noch einmal.".into(),
        busy: "Etwas antwortet gerade nicht. Versuchen Sie es in Kürze noch einmal.".into(),
        page_expired: "Diese Seite ist zu alt. Gehen Sie zur Anwendung zurück und beginnen Sie von vorn.".into(),
        page_used: "Diese Seite wurde schon einmal abgeschickt. Gehen Sie zur Anwendung zurück und beginnen Sie von \
             vorn."
            .into(),
        other_browser:
            "Diese Anmeldung begann in einem anderen Browser, oder Ihr Browser behält keine Cookies. Erlauben \
             Sie Cookies, gehen Sie zur Anwendung zurück und beginnen Sie von vorn."
                .into(),
        other_site: "Eine Seite eines anderen Anbieters hat dieses Formular gesendet. Gehen Sie zur Anwendung zurück und beginnen Sie von vorn."
            .into(),
        signed_out_since: "Sie wurden inzwischen abgemeldet. Gehen Sie zur Anwendung zurück und beginnen Sie von vorn."
            .into(),
        account_unusable:
            "Mit diesem Konto ist keine Anmeldung möglich. Wenden Sie sich an die Betreiber dieses Dienstes.".into(),
        back_to: "Zurück zu {client}".into(),
        nothing_was_sent: "Fehler {status}. An die Anwendung wurde nichts gesendet.".into(),
        terms: "Nutzungsbedingungen".into(),
        privacy: "Datenschutz".into(),
        scopes: BTreeMap::new(),
    }
}
