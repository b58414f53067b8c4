//! German.

use std::collections::BTreeMap;

use crate::pages::texts::{Texts, in_words, text};

pub(super) const TEXTS: Texts = Texts {
    language: text("de"),
    sign_in: text("Anmelden"),
    to_continue: text("um mit {client} fortzufahren"),
    able_to: text("{client} kann dann:"),
    valid_at: text("Dieser Zugriff gilt bei:"),
    lasting_access: text("Diesen Zugriff auch in Ihrer Abwesenheit behalten, bis Sie ihn beenden"),
    username: text("Benutzername"),
    password: text("Passwort"),
    returns_to: text("Danach werden Sie zu {host} weitergeleitet"),
    cancel: text("Abbrechen"),
    incomplete: text("Geben Sie Ihren Benutzernamen und Ihr Passwort ein."),
    too_long: text("Das ist zu lang."),
    wrong: text("Benutzername oder Passwort stimmt nicht."),
    too_many_attempts: |wait| {
        let units = [["Sekunde", "Sekunden"], ["Minute", "Minuten"], ["Stunde", "Stunden"]];
        let (count, unit) = in_words(wait, units);
        let unit = unit[usize::from(count != 1)];
        format!("Zu viele Versuche. Warten Sie {count} {unit} und versuchen Sie es dann noch einmal.")
    },
    try_again_later: text("Die Anmeldung ist gerade nicht möglich. Versuchen Sie es in Kürze noch einmal."),
    question: text("Noch ein Schritt"),
    signing_in_as: text("Anmeldung als {account}"),
    go_on: text("Weiter"),
    answer_missing: text("Geben Sie eine Antwort."),
    answer_wrong: text("Das stimmt nicht."),
    consent: text("Zugriff erlauben?"),
    wants_access: text("{client} möchte auf Ihr Konto {account} zugreifen"),
    calls_itself: text("Sie nennt sich selbst {name}"),
    unverified: text("Diese Anwendung hat sich selbst registriert: Ihr Name ist nicht geprüft"),
    on_this_device: text(
        "Sie gibt an, auf Ihrem Gerät zu laufen: Erlauben Sie es nur, wenn Sie sie dort gerade gestartet haben",
    ),
    allow: text("Erlauben"),
    deny: text("Ablehnen"),
    device: text("Auf einem Gerät anmelden"),
    enter_code: text("Geben Sie den Code ein, den Ihr Gerät zeigt"),
    compare_code: text("Zeigt Ihr Gerät genau diesen Code?"),
    user_code: text("Code des Geräts"),
    code_wrong: text(
        "Kein Gerät wartet mit diesem Code. Vergleichen Sie ihn noch einmal, oder lassen Sie das Gerät einen neuen zeigen.",
    ),
    for_device: text("Darum bittet das Gerät, das {code} zeigt"),
    device_shows: text("Ihr Gerät muss diesen Code zeigen"),
    device_asked: text("Angefragt um {time} UTC von {address}"),
    device_warning: text(
        "Erlauben Sie es nur, wenn Sie es gerade begonnen haben. Wer Ihnen den Code gab, käme sonst in Ihr Konto.",
    ),
    device_allowed: text("Ihr Gerät kann weitermachen"),
    device_denied: text("Es wurde nichts erlaubt"),
    back_to_device: text("Gehen Sie zu Ihrem Gerät zurück. Sie können dieses Fenster schließen."),
    sign_out: text("Abmelden"),
    sign_out_question: text("Abmelden?"),
    stay: text("Angemeldet bleiben"),
    stayed: text("Sie sind weiterhin angemeldet"),
    sent_here: text("Eine Anwendung hat Sie hierher geleitet."),
    signed_in_as: text(
        "Sie sind als {account} angemeldet. Auch die Anwendungen, die Sie damit geöffnet haben, werden \
             abgemeldet.",
    ),
    signed_out: text("Sie sind abgemeldet"),
    close_window: text("Sie können dieses Fenster schließen."),
    cannot_go_on: text("Diese Anmeldung kann nicht fortgesetzt werden"),
    cannot_sign_out: text("Die Abmeldung hat nicht funktioniert"),
    went_wrong: text("Hier ist etwas schiefgegangen"),
    request_unusable: text(
        "Die Anwendung hat etwas gesendet, das sich nicht beantworten lässt. Gehen Sie zu ihr zurück und \
             versuchen Sie es noch einmal. Hilft das nicht, wenden Sie sich an ihre Betreiber.",
    ),
    server_failed: text("Das liegt an uns, nicht an Ihnen. Versuchen Sie es später noch einmal."),
    busy: text("Etwas antwortet gerade nicht. Versuchen Sie es in Kürze noch einmal."),
    page_expired: text("Diese Seite ist zu alt. Gehen Sie zur Anwendung zurück und beginnen Sie von vorn."),
    page_used: text(
        "Diese Seite wurde schon einmal abgeschickt. Gehen Sie zur Anwendung zurück und beginnen Sie von \
             vorn.",
    ),
    other_browser: text(
        "Diese Anmeldung begann in einem anderen Browser, oder Ihr Browser behält keine Cookies. Erlauben \
             Sie Cookies, gehen Sie zur Anwendung zurück und beginnen Sie von vorn.",
    ),
    other_site: text(
        "Eine Seite eines anderen Anbieters hat dieses Formular gesendet. Gehen Sie zur Anwendung zurück und beginnen Sie von vorn.",
    ),
    signed_out_since: text(
        "Sie wurden inzwischen abgemeldet. Gehen Sie zur Anwendung zurück und beginnen Sie von vorn.",
    ),
    account_unusable: text(
        "Mit diesem Konto ist keine Anmeldung möglich. Wenden Sie sich an die Betreiber dieses Dienstes.",
    ),
    not_allowed: text("Es wurde nichts erlaubt. Sie können dieses Fenster schließen."),
    application_unknown: text(
        "Was die Anwendung über sich selbst sagt, ist nicht verwendbar. Deshalb ist nicht bekannt, wer fragt. Es wurde nichts erlaubt. Sagen Sie es den Betreibern der Anwendung.",
    ),
    application_away: text(
        "Wer fragt, ist im Moment nicht bekannt. Es wurde nichts erlaubt. Gehen Sie zur Anwendung zurück und versuchen Sie es in Kürze noch einmal.",
    ),
    back_to: text("Zurück zu {client}"),
    sign_in_first: text(
        "Sie sind hier nicht angemeldet. Öffnen Sie eine Anwendung, melden Sie sich an und kommen Sie zurück.",
    ),
    page_not_shown: text("Diese Seite kann nicht gezeigt werden"),
    not_for_account: text("Das Konto, mit dem Sie angemeldet sind, darf diese Seite nicht sehen."),
    not_taken: text(
        "Sie sind nicht mehr angemeldet, deshalb wurde nicht angenommen, was Sie gesendet haben. Melden Sie sich an und senden Sie es noch einmal.",
    ),
    other_account: text("Anderes Konto verwenden"),
    nothing_was_sent: text("Fehler {status}. An die Anwendung wurde nichts gesendet."),
    your_account: text("Ihr Konto"),
    signed_in_here: text("Sie sind als {account} angemeldet"),
    sessions: text("Wo Sie angemeldet sind"),
    this_browser: text("Dieser Browser"),
    another_browser: text("Ein anderer Browser"),
    since: text("seit {date}"),
    last_used: text("zuletzt genutzt {date}"),
    applications: text("Anwendungen mit Zugriff"),
    no_applications: text("Keine Anwendung hat dauerhaften Zugriff."),
    remove_access: text("Zugriff entziehen"),
    terms: text("Nutzungsbedingungen"),
    privacy: text("Datenschutz"),
    scopes: BTreeMap::new(),
};
