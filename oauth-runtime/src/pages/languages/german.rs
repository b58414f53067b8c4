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
    returns_to_app: text("Danach werden Sie zu einer Anwendung auf diesem Gerät weitergeleitet, die {scheme} öffnet"),
    cancel: text("Abbrechen"),
    incomplete: text("Geben Sie Ihren Benutzernamen und Ihr Passwort ein."),
    too_long: text("Das ist zu lang."),
    wrong: text("Der Benutzername oder das Passwort ist falsch."),
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
    answer_missing: text("Geben Sie eine Antwort an."),
    answer_wrong: text("Das ist nicht richtig."),
    consent: text("Zugriff erlauben?"),
    wants_access: text("{client} möchte auf Ihr Konto {account} zugreifen"),
    calls_itself: text("Die Anwendung nennt sich selbst {name}"),
    unverified: text("Diese Anwendung hat sich selbst registriert: Der angegebene Name ist nicht geprüft"),
    on_this_device: text(
        "Die Anwendung gibt an, auf Ihrem Gerät zu laufen: Erlauben Sie den Zugriff nur, wenn Sie sie dort gerade selbst gestartet haben",
    ),
    allow: text("Erlauben"),
    deny: text("Ablehnen"),
    device: text("Auf einem Gerät anmelden"),
    enter_code: text("Geben Sie den Code ein, den Ihr Gerät anzeigt"),
    compare_code: text("Zeigt Ihr Gerät genau diesen Code an?"),
    user_code: text("Code des Geräts"),
    code_wrong: text(
        "Zu diesem Code gibt es kein wartendes Gerät. Prüfen Sie ihn noch einmal, oder lassen Sie sich auf dem Gerät einen neuen anzeigen.",
    ),
    for_device: text("Darum bittet das Gerät, das {code} anzeigt"),
    device_shows: text("Ihr Gerät muss diesen Code anzeigen"),
    device_asked: text("Angefragt um {time} UTC von {address}"),
    device_warning: text(
        "Erlauben Sie es nur, wenn Sie es gerade selbst begonnen haben. Wer Ihnen Link oder Code gab, käme sonst in Ihr Konto.",
    ),
    device_allowed: text("Sie können auf Ihrem Gerät fortfahren"),
    device_denied: text("Es wurde kein Zugriff erlaubt"),
    back_to_device: text("Kehren Sie zu Ihrem Gerät zurück. Sie können dieses Fenster schließen."),
    sign_out: text("Abmelden"),
    sign_out_question: text("Abmelden?"),
    stay: text("Angemeldet bleiben"),
    stayed: text("Sie sind weiterhin angemeldet"),
    sent_here: text("Eine Anwendung hat Sie hierher geleitet."),
    signed_in_as: text(
        "Sie sind als {account} angemeldet. Sie werden auch bei den Anwendungen abgemeldet, die Sie \
             mit diesem Konto geöffnet haben.",
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
    busy: text("Ein Dienst antwortet gerade nicht. Versuchen Sie es in Kürze noch einmal."),
    page_expired: text("Diese Seite ist zu alt. Gehen Sie zur Anwendung zurück und beginnen Sie von vorn."),
    page_used: text(
        "Diese Seite wurde schon einmal abgeschickt. Gehen Sie zur Anwendung zurück und beginnen Sie von \
             vorn.",
    ),
    other_browser: text(
        "Diese Anmeldung begann in einem anderen Browser, oder Ihr Browser speichert keine Cookies. Erlauben \
             Sie Cookies, gehen Sie zur Anwendung zurück und beginnen Sie von vorn.",
    ),
    other_site: text(
        "Dieses Formular wurde von einer anderen Website gesendet. Gehen Sie zur Anwendung zurück und beginnen Sie von vorn.",
    ),
    signed_out_since: text(
        "Sie wurden inzwischen abgemeldet. Gehen Sie zur Anwendung zurück und beginnen Sie von vorn.",
    ),
    account_unusable: text(
        "Mit diesem Konto ist keine Anmeldung möglich. Wenden Sie sich an die Betreiber dieses Dienstes.",
    ),
    not_allowed: text("Es wurde kein Zugriff erlaubt. Sie können dieses Fenster schließen."),
    application_unknown: text(
        "Die Angaben der Anwendung über sich selbst sind nicht verwendbar. Deshalb ist nicht bekannt, wer anfragt. Es wurde kein Zugriff erlaubt. Informieren Sie die Betreiber der Anwendung.",
    ),
    application_away: text(
        "Im Moment lässt sich nicht feststellen, wer anfragt. Es wurde kein Zugriff erlaubt. Gehen Sie zur Anwendung zurück und versuchen Sie es in Kürze noch einmal.",
    ),
    back_to: text("Zurück zu {client}"),
    sign_in_first: text(
        "Sie sind hier nicht angemeldet. Öffnen Sie eine Anwendung, melden Sie sich an und kommen Sie zurück.",
    ),
    page_not_shown: text("Diese Seite kann nicht angezeigt werden"),
    not_for_account: text("Das Konto, mit dem Sie angemeldet sind, hat keinen Zugriff auf diese Seite."),
    not_taken: text(
        "Sie sind nicht mehr angemeldet, deshalb wurden Ihre Eingaben nicht übernommen. Melden Sie sich an und senden Sie sie noch einmal.",
    ),
    other_account: text("Anderes Konto verwenden"),
    nothing_was_sent: text("Fehler {status}. An die Anwendung wurde nichts gesendet."),
    your_account: text("Ihr Konto"),
    signed_in_here: text("Sie sind als {account} angemeldet"),
    sessions: text("Wo Sie angemeldet sind"),
    this_browser: text("Dieser Browser"),
    another_browser: text("Ein anderer Browser"),
    since: text("seit {date}"),
    last_used: text("zuletzt genutzt am {date}"),
    applications: text("Anwendungen mit Zugriff"),
    no_applications: text("Keine Anwendung hat dauerhaften Zugriff."),
    remove_access: text("Zugriff entziehen"),
    terms: text("Nutzungsbedingungen"),
    privacy: text("Datenschutz"),
    scopes: BTreeMap::new(),
};
